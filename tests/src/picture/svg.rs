//! Shapes as text. One unit is a tenth of a pixel, so that every coordinate is an integer and the bytes never vary.

use std::fmt::Write;

/// Units a pixel.
pub(crate) const PX: i64 = 10;

const STYLE: &str = "\
text{font-family:system-ui,-apple-system,'Segoe UI','Noto Sans','PingFang SC','Microsoft YaHei','Noto Sans CJK SC',sans-serif;fill:#24303c}
.s{font-size:100px;fill:#5c6873}.t{font-size:92px;fill:#5c6873}.h{font-size:115px;font-weight:600}
.c{font-size:140px;font-weight:600}.T{font-size:180px;font-weight:600}.n{font-size:200px;font-weight:600}
.m{text-anchor:middle}.e{text-anchor:end}.bad{fill:#b3302a}.halo{paint-order:stroke;stroke:#fff;stroke-width:30px;stroke-linejoin:round}
.panel{fill:#fff}.grid{stroke:#e6e9ec;stroke-width:10}.axis{stroke:#8a949d;stroke-width:10}.lead{stroke:#5c6873;stroke-width:7}
.pay{fill:#b9c3cd}.credit{fill:#2f7f8f}.quiet{fill:#fbe9e7}
.wait{fill:#f6e2ae}.waitline{fill:none;stroke:#d2a02c;stroke-width:12;stroke-dasharray:36 26}.dot{fill:#d2a02c}.late{fill:#d0473f}
.warn{stroke:#d0473f;stroke-width:12}.breach{stroke:#7d1712;stroke-width:22}.done{stroke:#2f7f8f;stroke-width:12}.other{fill:#5a4a8c}
.p95{fill:none;stroke:#4b3a86;stroke-width:22}.p50{fill:none;stroke:#9a8fc4;stroke-width:14}
";

const HATCH: &str = "<pattern id=\"unknown\" width=\"60\" height=\"60\" patternUnits=\"userSpaceOnUse\" \
patternTransform=\"rotate(45)\"><rect width=\"60\" height=\"60\" fill=\"#f3f1f8\"/>\
<rect width=\"16\" height=\"60\" fill=\"#d3cde6\"/></pattern>";

/// A picture that grows.
#[derive(Default)]
pub(crate) struct Svg {
    body: String,
}

/// A rectangle of the picture.
#[derive(Clone, Copy)]
pub(crate) struct Area {
    pub(crate) x: i64,
    pub(crate) y: i64,
    pub(crate) width: i64,
    pub(crate) height: i64,
}

impl Area {
    pub(crate) fn right(self) -> i64 {
        self.x + self.width
    }

    pub(crate) fn bottom(self) -> i64 {
        self.y + self.height
    }
}

impl Svg {
    fn push(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.body, "{line}").expect("a string takes everything");
    }

    pub(crate) fn rect(&mut self, class: &str, area: Area) {
        let Area {
            x,
            y,
            width,
            height,
        } = area;
        if width > 0 && height > 0 {
            self.push(format_args!(
                "<rect class=\"{class}\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
            ));
        }
    }

    /// A rectangle over what is not known.
    pub(crate) fn unknown(&mut self, area: Area) {
        let Area {
            x,
            y,
            width,
            height,
        } = area;
        self.push(format_args!(
            "<rect fill=\"url(#unknown)\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"/>"
        ));
    }

    pub(crate) fn line(&mut self, class: &str, from: (i64, i64), to: (i64, i64)) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.push(format_args!(
            "<path class=\"{class}\" d=\"M{x1} {y1}L{x2} {y2}\"/>"
        ));
    }

    pub(crate) fn path(&mut self, class: &str, points: &[(i64, i64)]) {
        if points.is_empty() {
            return;
        }
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x} {y}")).collect();
        self.push(format_args!(
            "<path class=\"{class}\" d=\"M{}\"/>",
            points.join("L")
        ));
    }

    pub(crate) fn dot(&mut self, class: &str, (x, y): (i64, i64)) {
        self.push(format_args!(
            "<circle class=\"{class}\" cx=\"{x}\" cy=\"{y}\" r=\"22\"/>"
        ));
    }

    pub(crate) fn diamond(&mut self, class: &str, (x, y): (i64, i64)) {
        self.push(format_args!(
            "<path class=\"{class}\" d=\"M{x} {}l34 34l-34 34l-34 -34z\"/>",
            y - 34
        ));
    }

    pub(crate) fn text(&mut self, class: &str, (x, y): (i64, i64), text: &str) {
        let text = escaped(text);
        self.push(format_args!(
            "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{text}</text>"
        ));
    }

    /// Two texts, the second right behind the first.
    pub(crate) fn pair(
        &mut self,
        first: &str,
        second: &str,
        (x, y): (i64, i64),
        text: &str,
        more: &str,
    ) {
        let (text, more) = (escaped(text), escaped(more));
        self.push(format_args!(
            "<text x=\"{x}\" y=\"{y}\"><tspan class=\"{first}\">{text}</tspan>\
             <tspan class=\"{second}\" dx=\"50\">{more}</tspan></text>"
        ));
    }

    /// The whole file. `title` is what is read out where it is not seen.
    pub(crate) fn finish(self, width: i64, height: i64, title: &str) -> String {
        let (width_px, height_px) = (width / PX, height / PX);
        let (title, body) = (escaped(title), self.body);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width_px}\" height=\"{height_px}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n\
             <defs>{HATCH}</defs>\n<rect width=\"{width}\" height=\"{height}\" rx=\"80\" fill=\"#f7f8f9\"/>\n\
             {body}</svg>\n"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
