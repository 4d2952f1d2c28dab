//! The one list of everything a key can do. Keymap, footer, help and the README's table are made from it.
//!
//! Knows each action's name, sentence, contexts and default keys. Must not know how it is done.

/// Where a key is pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// Anywhere; bare characters only where no text is typed.
    Everywhere,
    /// The table of jobs.
    Jobs,
    /// The form that makes new jobs; bare characters are text.
    Compose,
    /// What the documents say of the chosen model.
    Model,
    /// A job's details.
    Detail,
    /// Anything that is read and closed: help, notices, details.
    Reading,
    /// A question to be answered.
    Ask,
    /// The list of models; bare characters are text.
    Picker,
    /// The list of further fields; bare characters are text.
    More,
    /// The list of everything that can be done; bare characters are text.
    Palette,
    /// The line that narrows the table; bare characters are text.
    Filter,
    /// The list of views.
    Views,
    /// The list of columns to sort by.
    Sorting,
    /// The list of what can be copied of a job.
    Copying,
}

impl Context {
    /// All of them, in the order help shows them.
    pub const ALL: [Context; 14] = [
        Context::Jobs,
        Context::Compose,
        Context::Everywhere,
        Context::Model,
        Context::Detail,
        Context::Reading,
        Context::Ask,
        Context::Picker,
        Context::More,
        Context::Palette,
        Context::Filter,
        Context::Views,
        Context::Sorting,
        Context::Copying,
    ];

    /// Its heading in help, which says more where the title alone would promise too much.
    pub fn heading(self) -> &'static str {
        match self {
            Context::Everywhere => "Everywhere but where text is typed (F-keys and Ctrl work there too)",
            _ => self.title(),
        }
    }

    /// Its name.
    pub fn title(self) -> &'static str {
        match self {
            Context::Everywhere => "Everywhere but in text",
            Context::Jobs => "Jobs",
            Context::Compose => "Compose",
            Context::Model => "Model",
            Context::Detail => "A job's details",
            Context::Reading => "Help, notices, details",
            Context::Ask => "A question",
            Context::Picker => "Choosing a model",
            Context::More => "More fields",
            Context::Palette => "The palette",
            Context::Filter => "Filter",
            Context::Views => "Views",
            Context::Sorting => "Sorting",
            Context::Copying => "Copying",
        }
    }

    /// Whether bare characters are text here.
    pub fn takes_text(self) -> bool {
        matches!(self, Context::Compose | Context::Picker | Context::More | Context::Palette | Context::Filter)
    }
}

/// Everything a key can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each variant's sentence stands in TABLE, where users read it")]
pub enum Action {
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    NextNeedy,
    Mark,
    MarkAll,
    ClearMarks,
    Filter,
    ViewMenu,
    SortMenu,
    Group,
    Details,
    Retry,
    Cancel,
    Hold,
    Release,
    Duplicate,
    Tag,
    MoveUp,
    MoveDown,
    MoveTop,
    MoveBottom,
    Abandon,
    Adopt,
    WriteOff,
    CopyLink,
    CopyMenu,
    OpenClip,
    OpenFolder,
    Reuse,
    Extend,
    Queue,
    NextField,
    PreviousField,
    StepForward,
    StepBack,
    Undo,
    Redo,
    Editor,
    MoreFields,
    RemoveField,
    DraftCheaply,
    Tips,
    LeaveForm,
    NewClip,
    ChooseModel,
    NextPane,
    PreviousPane,
    ShowJobs,
    ShowCompose,
    ShowModel,
    Notices,
    Balances,
    RefreshModels,
    Resume,
    Classify,
    Palette,
    Help,
    Repaint,
    Thrift,
    Suspend,
    Quit,
    Close,
    Accept,
    Together,
    Reorder,
    OnlyNeeded,
    ViewAll,
    ViewAttention,
    ViewActive,
    ViewDone,
    ViewFailed,
    ViewBatch,
    OwnView,
    SortNewest,
    SortState,
    SortModel,
    SortAccount,
    SortPrompt,
    SortProgress,
    SortTime,
    SortCost,
    SortQueue,
    CopyPrompt,
    CopyUrl,
    CopyPath,
    CopyId,
    CopyJson,
    Decline,
}

/// One line of the list.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The action.
    pub action: Action,
    /// Its name in the config's `[keys]`.
    pub name: &'static str,
    /// What it does, one sentence.
    pub help: &'static str,
    /// A word for the footer.
    pub short: &'static str,
    /// Where it works.
    pub contexts: &'static [Context],
    /// Its keys unless the user says otherwise.
    pub keys: &'static [&'static str],
}

macro_rules! table {
    ($($action:ident $name:literal $short:literal [$($context:ident)*] [$($key:literal)*] $help:literal;)*) => {
        &[$(Entry {
            action: Action::$action,
            name: $name,
            help: $help,
            short: $short,
            contexts: &[$(Context::$context),*],
            keys: &[$($key),*],
        }),*]
    };
}

/// The list.
pub const TABLE: &[Entry] = table! {
    NextNeedy "next-needy" "needs you" [Jobs] ["!"] "Go to the next job that needs you: unconfirmed, failed, held, late, or queued at a paused account.";
    Mark "mark" "mark" [Jobs] ["Space"] "Mark or unmark the job; verbs then act on all marked jobs.";
    MarkAll "mark-all" "mark all" [Jobs] ["*"] "Mark every job that the filter shows.";
    ClearMarks "clear" "clear" [Jobs] ["Esc"] "Drop the marks; pressed again, the filter; again, sorting and groups.";
    Filter "filter" "filter" [Jobs] ["/"] "Narrow the table: words (letters may be left out), state:failed, model:veo, today, -word; see below.";
    ViewMenu "views" "views" [Jobs] ["v"] "Choose a view: needs you, active, done today, failed, one batch, or your own.";
    SortMenu "sort" "sort" [Jobs] ["s"] "Choose what to sort by; the same column again turns it round.";
    Group "group" "group" [Jobs] ["z"] "Group by batch, then by prompt, then not at all.";
    Details "details" "details" [Jobs] ["Enter"] "Show the job whole: prompt, parameters, money, files and what happened.";
    Retry "retry" "retry" [Jobs Detail] ["r"] "Make new jobs like these, each at its own price; asks first.";
    Cancel "cancel" "cancel" [Jobs Detail] ["c"] "Take back queued and held jobs; what was sent cannot be cancelled.";
    Hold "hold" "hold" [Jobs Detail] ["h"] "Hold queued jobs, or let held jobs go on.";
    Release "release" "release" [Jobs Detail] ["l"] "Let held jobs go on, also where queued ones are marked beside them.";
    Duplicate "duplicate" "duplicate" [Jobs Detail] ["d"] "Make new jobs that ask for the same, whatever became of these; asks first, with the sum.";
    Tag "tag" "tag" [Jobs Detail] ["t"] "Give jobs tags, or take them off.";
    MoveUp "move-up" "move up" [Jobs] ["K"] "Move queued jobs one place up in their account's queue.";
    MoveDown "move-down" "move down" [Jobs] ["J"] "Move queued jobs one place down in their account's queue.";
    MoveTop "move-top" "to top" [Jobs] ["<"] "Move queued jobs to the top of their account's queue: they are sent next.";
    MoveBottom "move-bottom" "to bottom" [Jobs] [">"] "Move queued jobs to the bottom of their account's queue.";
    Abandon "abandon" "abandon" [Jobs Detail] ["a"] "Hide jobs that were sent; they are still polled, downloaded and booked.";
    Adopt "adopt" "adopt" [Jobs Detail] ["i"] "Name the service's order that an unconfirmed job is; checked by one status request, then gone on with.";
    WriteOff "write-off" "write off" [Jobs Detail] ["w"] "Give unconfirmed jobs up: what is set aside is free again and may still have been charged; asks for a word.";
    CopyLink "copy" "copy" [Jobs Detail] ["o"] "Copy the clip's path, or its link while it is not on disk.";
    CopyMenu "copy-part" "copy..." [Jobs Detail] ["O"] "Choose what to copy: prompt, link, path, id or the whole record as JSON.";
    OpenClip "open" "open" [Jobs Detail] ["f"] "Open the clip with the open_command of the config.";
    OpenFolder "open-folder" "folder" [Jobs Detail] ["F"] "Open the clip's folder with it.";
    Reuse "reuse" "compose again" [Jobs Detail] ["y"] "Put the job's prompt, model and parameters into the form.";
    Extend "extend" "extend" [Jobs Detail] ["x"] "Put a finished clip into the form of a model that goes on from it; queues nothing yet.";
    Up "up" "up" [Jobs Model Reading Picker More Palette] ["Up" "k"] "Move up one line.";
    Down "down" "scroll" [Jobs Model Reading Picker More Palette] ["Down" "j"] "Move down one line.";
    PageUp "page-up" "page up" [Jobs Model Reading Picker More Palette] ["PageUp" "Ctrl-B"] "Move up one page.";
    PageDown "page-down" "page" [Jobs Model Reading Picker More Palette] ["PageDown" "Ctrl-F"] "Move down one page.";
    First "first" "first" [Jobs Model Reading] ["Home" "g"] "Go to the newest job, or to the top.";
    Last "last" "last" [Jobs Model Reading] ["End" "G"] "Go to the oldest job, or to the bottom.";
    Queue "queue" "queue" [Compose] ["Ctrl-S"] "Queue what the form says; it is cleared once that is on disk.";
    NextField "next-field" "next field" [Compose] ["Tab"] "Go to the form's next field; from the last to the prompt. Esc leaves the form.";
    PreviousField "previous-field" "previous field" [Compose] ["BackTab"] "Go to the form's previous field; from the prompt to the last.";
    StepForward "step-forward" "next value" [Compose] ["Right"] "Take the field's next legal value.";
    StepBack "step-back" "previous value" [Compose] ["Left"] "Take the field's previous legal value.";
    Undo "undo" "undo" [Compose] ["Alt-u"] "Undo the last word typed, paste or other edit of the prompt.";
    Redo "redo" "redo" [Compose] ["Alt-r"] "Do again what was undone.";
    Editor "editor" "editor" [Compose] ["Alt-e"] "Edit the prompt in your own editor: VISUAL, else EDITOR, else vi.";
    MoreFields "more-fields" "more fields" [Compose] ["F7" "Alt-m"] "List what the service documents beyond the model's own fields; Enter adds one to the form.";
    RemoveField "remove-field" "remove field" [Compose More] ["Alt-x"] "Take an added field out of the form again.";
    DraftCheaply "draft" "draft" [Compose] ["F8" "Alt-d"] "Go to the cheapest model and values that take this prompt and its inputs; again: go back.";
    Tips "tips" "tips" [Compose] ["F9" "Alt-t"] "Read what the services advise on prompts and on saving money.";
    LeaveForm "leave-form" "jobs" [Compose Model] ["Esc"] "Go to the table; what was typed stays and is kept on disk.";
    NewClip "new" "new" [Everywhere] ["n" "F3"] "Go to the prompt.";
    ChooseModel "model" "model" [Everywhere] ["m" "F2"] "Choose a model out of all accounts' models.";
    NextPane "next-pane" "next pane" [Everywhere] ["Tab"] "Go to the next pane.";
    PreviousPane "previous-pane" "previous pane" [Everywhere] ["BackTab"] "Go to the previous pane.";
    ShowJobs "jobs" "jobs" [Everywhere] ["1" "Alt-1"] "Go to the table of jobs.";
    ShowCompose "compose" "compose" [Everywhere] ["2" "Alt-2"] "Go to the form.";
    ShowModel "about-model" "about" [Everywhere] ["3" "Alt-3"] "Go to what the documents say of the chosen model.";
    Notices "notices" "notices" [Everywhere] ["e" "F4"] "Read all notices again.";
    Balances "balances" "balances" [Everywhere] ["b" "F5"] "Ask every account's balance again.";
    RefreshModels "refresh-models" "refresh models" [Everywhere Picker] ["R" "F10"] "Ask every account again which models it offers; what changed is told as notices.";
    Resume "resume" "resume" [Everywhere Detail] ["u" "F6"] "Let paused accounts go on, and try those in trouble at once.";
    Classify "classify" "unexplained" [Everywhere Reading] ["$" "F11"] "Say what a difference was that nothing in the books explains: a deposit, other use, a refund, a charge.";
    Palette "palette" "commands" [Everywhere] [":" "Ctrl-P"] "Find anything by a few letters: what can be done, models, jobs.";
    Help "help" "help" [Everywhere] ["?" "F1"] "Show every key.";
    Repaint "repaint" "repaint" [Everywhere] ["Ctrl-L"] "Draw the whole screen again.";
    Thrift "thrift" "thrift" [Everywhere] ["T" "F12"] "Change how much the screen moves by itself: full, calm, frugal.";
    Suspend "suspend" "suspend" [Everywhere] ["Ctrl-Z"] "Stop the program and go to the shell; fg comes back.";
    Quit "quit" "quit" [Everywhere] ["q" "Ctrl-Q" "Ctrl-C"] "Leave; jobs at the services go on and are picked up at the next start.";
    Close "close" "close" [Reading Ask Picker More Palette Filter Views Sorting Copying] ["Esc" "q"] "Close without doing anything.";
    Accept "accept" "accept" [Ask Picker More Palette Filter] ["Enter" "y"] "Say yes; take the chosen line.";
    Together "together" "shoot-out" [Picker] ["Tab"] "Mark the model for a shoot-out: Enter takes all that are marked, and one prompt is queued at each.";
    Reorder "reorder" "order" [Picker] ["Alt-s"] "Sort the models by price of this form, by speed, by length, and by match again.";
    OnlyNeeded "only-needed" "only needed fields" [Ask] ["Tab"] "In the question of a retry: send only the fields that the model needs, or all of them.";
    ViewAll "view-all" "all" [Views] ["a"] "Show all jobs.";
    ViewAttention "view-attention" "needs you" [Views] ["n"] "Show what needs you: unconfirmed, failed and not tried again, held, late, account paused.";
    ViewActive "view-active" "active" [Views] ["w"] "Show what is not over yet.";
    ViewDone "view-done" "done today" [Views] ["d"] "Show what was finished today.";
    ViewFailed "view-failed" "failed" [Views] ["f"] "Show what failed.";
    ViewBatch "view-batch" "batch" [Views] ["b"] "Show the batch of the selected job.";
    OwnView "own-view" "your own" [Views] ["1" "2" "3" "4" "5" "6" "7" "8" "9"] "Show the view of that number out of [views] in the config.";
    SortNewest "sort-newest" "newest" [Sorting] ["n"] "Sort by when jobs were queued, the newest first.";
    SortState "sort-state" "state" [Sorting] ["s"] "Sort by state, what needs attention first.";
    SortModel "sort-model" "model" [Sorting] ["m"] "Sort by the model's name.";
    SortAccount "sort-account" "account" [Sorting] ["a"] "Sort by the account's name.";
    SortPrompt "sort-prompt" "prompt" [Sorting] ["p"] "Sort by the prompt.";
    SortProgress "sort-progress" "progress" [Sorting] ["g"] "Sort by how far jobs are.";
    SortTime "sort-time" "time" [Sorting] ["t"] "Sort by how long jobs run or took, the longest first.";
    SortCost "sort-cost" "cost" [Sorting] ["c"] "Sort by what jobs cost or should cost, the dearest first.";
    SortQueue "sort-queue" "queue" [Sorting] ["o"] "Sort by the queue's order, the next to be sent first.";
    CopyPrompt "copy-prompt" "prompt" [Copying] ["p"] "Copy the whole prompt.";
    CopyUrl "copy-link" "link" [Copying] ["l"] "Copy the clip's link at the service.";
    CopyPath "copy-path" "path" [Copying] ["f"] "Copy the path of the clip on disk.";
    CopyId "copy-id" "id" [Copying] ["i"] "Copy the job's id, as the command line takes it.";
    CopyJson "copy-json" "JSON" [Copying] ["j"] "Copy the whole record as JSON, as `rushes show --json` prints it.";
    Decline "decline" "no" [Ask] ["n"] "Say no; nothing is done.";
};

impl Action {
    /// Its line in the list.
    pub fn entry(self) -> &'static Entry {
        TABLE.iter().find(|entry| entry.action == self).expect("a test holds that every action has its line")
    }

    /// Whether it works while something lies over the panes, too.
    pub fn works_over_overlays(self) -> bool {
        matches!(self, Action::Quit | Action::Suspend | Action::Repaint)
    }
}

/// The list as the README's table, so that a test can hold the two together.
pub fn markdown() -> String {
    let mut out = String::from("| where | keys | what |\n| --- | --- | --- |\n");
    for entry in TABLE {
        let places: Vec<&str> = entry.contexts.iter().map(|context| context.title()).collect();
        let keys: Vec<String> = entry.keys.iter().map(|key| format!("`{key}`")).collect();
        out += &format!("| {} | {} | {} |\n", places.join(", "), keys.join(" "), entry.help);
    }
    out
}

/// The lines that work in a context, in the list's order.
pub fn entries_of(context: Context) -> impl Iterator<Item = &'static Entry> {
    TABLE.iter().filter(move |entry| entry.contexts.contains(&context))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_action_has_one_line_with_a_sentence_a_name_and_a_key() {
        // `Decline` is the last variant: the discriminants run without gaps.
        assert_eq!(TABLE.len(), Action::Decline as usize + 1, "an action without a line, or with two");
        let names: HashSet<_> = TABLE.iter().map(|e| e.name).collect();
        let actions: HashSet<_> = TABLE.iter().map(|e| e.action).collect();
        assert_eq!((names.len(), actions.len()), (TABLE.len(), TABLE.len()));
        for entry in TABLE {
            assert!(entry.help.ends_with('.') && entry.help.len() > 10, "{}", entry.name);
            assert!(!entry.contexts.is_empty() && !entry.keys.is_empty(), "{} cannot be reached", entry.name);
            assert_eq!(entry.action.entry().name, entry.name);
            assert!(markdown().contains(entry.help), "{}", entry.name);
        }
    }
}
