//! The screen, drawn from the app's state. One file a pane. Reads state, changes none.

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use super::theme::{Role, Styles};
use crate::app::App;

/// Draws the whole screen; returns where the cursor stands, if it is shown.
pub fn render(_app: &App, styles: &Styles, area: Rect, buf: &mut Buffer) -> Option<Position> {
    buf.set_style(area, styles.of(Role::Screen));
    buf.set_stringn(area.x, area.y, "rushes", usize::from(area.width), styles.of(Role::Badge));
    None
}
