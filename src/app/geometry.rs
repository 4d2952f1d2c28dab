//! Where the panes lie at a given size: plain numbers that state and view share.
//!
//! ```text
//! 140 and wider          100 to 139             below 100: one of three tabs
//! header                 header                 header
//! compose|jobs  |model   compose|jobs           tabs
//!        |story |        model  |story          jobs or compose or model
//! notice                 notice                 notice
//! keys                   keys                   keys
//! ```

/// The panes that can have the focus.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pane {
    /// The table.
    #[default]
    Jobs,
    /// The form.
    Compose,
    /// The documents' word on the chosen model.
    Model,
}

impl Pane {
    /// The panes in the order that Tab goes through.
    pub const ALL: [Pane; 3] = [Pane::Jobs, Pane::Compose, Pane::Model];
}

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Span {
    /// Left column.
    pub x: u16,
    /// Top row.
    pub y: u16,
    /// Columns.
    pub w: u16,
    /// Rows.
    pub h: u16,
}

/// Where everything lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Panes {
    /// Accounts, money, counts; two rows, one on low screens.
    pub header: Span,
    /// The names of the three tabs, on narrow screens.
    pub tabs: Option<Span>,
    /// The form with its frame.
    pub compose: Option<Span>,
    /// The table with its frame; the story lies within it.
    pub jobs: Option<Span>,
    /// Rows of the story at the foot of the table's frame, its rule included; 0: none.
    pub story: u16,
    /// The documents' word with its frame.
    pub model: Option<Span>,
    /// The newest notice; no rows on low screens.
    pub notice: Span,
    /// The keys.
    pub hints: Span,
}

/// The smallest screen that can be worked with.
pub const SMALLEST: (u16, u16) = (36, 9);
/// From here on the form stands beside the table.
const WIDE: u16 = 100;
/// From here on all three panes stand side by side.
const WIDER: u16 = 140;

impl Panes {
    /// Lays the panes out; `None` where the screen is too small to work with.
    pub fn lay(cols: u16, rows: u16, focus: Pane) -> Option<Panes> {
        if cols < SMALLEST.0 || rows < SMALLEST.1 {
            return None;
        }
        let row = |y, h| Span { x: 0, y, w: cols, h };
        let header = row(0, if rows >= 14 { 2 } else { 1 });
        let notice_rows = u16::from(rows >= 12);
        let hints = row(rows - 1, 1);
        let notice = row(rows - 1 - notice_rows, notice_rows);
        let mut panes = Panes { header, notice, hints, ..Panes::default() };
        let top = header.h + u16::from(cols < WIDE);
        let body = row(top, rows - top - 1 - notice_rows);
        if cols < WIDE {
            panes.tabs = Some(row(header.h, 1));
            match focus {
                Pane::Jobs => panes.jobs = Some(body),
                Pane::Compose => panes.compose = Some(body),
                Pane::Model => panes.model = Some(body),
            }
        } else if cols < WIDER {
            let left = (cols / 3).clamp(38, 44);
            let upper = (body.h * 11 / 20).clamp(body.h.min(14), body.h);
            panes.compose = Some(Span { w: left, h: upper, ..body });
            panes.model = Some(Span { y: body.y + upper, w: left, h: body.h - upper, ..body }).filter(|s| s.h >= 5);
            if panes.model.is_none() {
                panes.compose = Some(Span { w: left, ..body });
            }
            panes.jobs = Some(Span { x: left, w: cols - left, ..body });
        } else {
            let left = (cols / 4).clamp(38, 56);
            let right = (cols / 5).clamp(34, 46);
            panes.compose = Some(Span { w: left, ..body });
            panes.jobs = Some(Span { x: left, w: cols - left - right, ..body });
            panes.model = Some(Span { x: cols - right, w: right, ..body });
        }
        panes.story = match panes.jobs.map_or(0, |jobs| jobs.h) {
            0..20 => 0,
            20..30 => 7,
            30..44 => 9,
            _ => 13,
        };
        Some(panes)
    }

    /// Lines of the table: its frame, its heading and the story do not count.
    pub fn table_lines(&self) -> usize {
        let jobs = self.jobs.unwrap_or_default();
        usize::from(jobs.h.saturating_sub(3 + self.story))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panes_never_overlap_and_never_leave_the_screen() {
        for cols in 1..260u16 {
            for rows in 1..90u16 {
                for focus in Pane::ALL {
                    let Some(panes) = Panes::lay(cols, rows, focus) else {
                        assert!(cols < SMALLEST.0 || rows < SMALLEST.1);
                        continue;
                    };
                    let all: Vec<Span> = [Some(panes.header), panes.tabs, panes.compose, panes.jobs, panes.model]
                        .into_iter()
                        .flatten()
                        .chain([panes.notice, panes.hints])
                        .collect();
                    let cells: usize = all.iter().map(|s| usize::from(s.w) * usize::from(s.h)).sum();
                    assert_eq!(cells, usize::from(cols) * usize::from(rows), "{cols}x{rows} {focus:?}: {panes:?}");
                    assert!(all.iter().all(|s| s.x + s.w <= cols && s.y + s.h <= rows), "{cols}x{rows}");
                    if panes.jobs.is_some() {
                        assert!(panes.table_lines() >= 1, "{cols}x{rows}: {panes:?}");
                    }
                }
            }
        }
    }
}
