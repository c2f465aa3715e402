//! Cover art: each album's own picture, drawn from its identifier. SVG, square, the same at every size.

#![expect(
    clippy::format_push_string,
    clippy::format_collect,
    reason = "a picture is written once, piece by piece"
)]

use crate::exchange::Reply;
use crate::world::ids::mix;

/// `GET /image/{id}` or `/image/{id}-{640|300|64}`.
pub(crate) fn image(name: &str) -> Reply {
    let (id, size) = name.rsplit_once('-').unwrap_or((name, "640"));
    let sized: Option<u32> = size.parse().ok().filter(|size| [640, 300, 64].contains(size));
    let plain = !id.is_empty() && id.len() <= 40 && id.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let Some(size) = sized.filter(|_| plain) else {
        return Reply::typed(404, "text/plain; charset=utf-8", "No such picture");
    };
    Reply::typed(200, "image/svg+xml", draw(id, size))
        .with("cache-control", "public, max-age=31536000, immutable")
        .with("access-control-allow-origin", "*")
        .with("cross-origin-resource-policy", "cross-origin")
        .with("x-content-type-options", "nosniff")
}

/// Chance, one number after another, from an identifier.
struct Dice {
    seed: u64,
    drawn: u64,
}

impl Dice {
    fn of(id: &str) -> Self {
        Self { seed: id.bytes().fold(7, |seed, byte| mix(seed, u64::from(byte))), drawn: 0 }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.drawn += 1;
        mix(self.seed, self.drawn) % bound
    }

    fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low)
    }
}

fn draw(id: &str, size: u32) -> String {
    let mut dice = Dice::of(id);
    let hue = dice.below(360);
    // Neighbouring, complementary or triadic: three ways in which two hues get on.
    let other = (hue + [36, 180, 128][dice.below(3) as usize]) % 360;
    let (dark, light) = (dice.between(16, 30), dice.between(62, 78));
    let ground = format!("hsl({hue} 42% {dark}%)");
    let deep = format!("hsl({} 48% {}%)", (hue + 20) % 360, dark + 14);
    let ink = format!("hsl({other} 68% {light}%)");
    let soft = format!("hsl({} 54% {}%)", (other + 14) % 360, light - 16);
    let pale = format!("hsl({hue} 40% 90%)");
    let colours = [ink.as_str(), soft.as_str(), pale.as_str()];
    let motif = match dice.below(7) {
        0 => sunset(&mut dice, colours),
        1 => arcs(&mut dice, colours),
        2 => hills(&mut dice, colours, &ground),
        3 => bars(&mut dice, colours),
        4 => tiles(&mut dice, colours),
        5 => orbits(&mut dice, colours),
        _ => folds(&mut dice, colours),
    };
    let turn = dice.below(4) * 90 + 25;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 640 640\" width=\"{size}\" height=\"{size}\">\
         <defs><linearGradient id=\"g\" gradientTransform=\"rotate({turn} .5 .5)\">\
         <stop offset=\"0\" stop-color=\"{ground}\"/><stop offset=\"1\" stop-color=\"{deep}\"/></linearGradient></defs>\
         <rect width=\"640\" height=\"640\" fill=\"url(#g)\"/>{motif}</svg>"
    )
}

fn sunset(dice: &mut Dice, [ink, soft, pale]: [&str; 3]) -> String {
    let (x, y, r) = (dice.between(220, 420), dice.between(200, 330), dice.between(110, 190));
    let mut out = format!("<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"{ink}\"/>");
    for step in 0..6 {
        let (top, height) = (y + 20 + step * 52, 10 + step * 5);
        let colour = if step % 2 == 0 { soft } else { pale };
        out += &format!(
            "<rect y=\"{top}\" width=\"640\" height=\"{height}\" fill=\"{colour}\" opacity=\".55\"/>"
        );
    }
    out
}

fn arcs(dice: &mut Dice, colours: [&str; 3]) -> String {
    let (x, y) = ([0, 320, 640][dice.below(3) as usize], [320, 640][dice.below(2) as usize]);
    let count = dice.between(5, 9);
    (0..count)
        .map(|ring| {
            let (r, colour) = (540 - ring * (480 / count), colours[(ring % 3) as usize]);
            format!(
                "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{}\"/>",
                150 / count
            )
        })
        .collect()
}

fn hills(dice: &mut Dice, [ink, soft, pale]: [&str; 3], ground: &str) -> String {
    let (moon_x, moon_y, r) = (dice.between(120, 520), dice.between(110, 220), dice.between(36, 84));
    let mut out = format!("<circle cx=\"{moon_x}\" cy=\"{moon_y}\" r=\"{r}\" fill=\"{pale}\"/>");
    for (step, colour) in [soft, ink, ground].into_iter().enumerate() {
        let base = 330 + step as u64 * 100;
        let (a, b) = (dice.between(0, 160), dice.between(0, 160));
        out += &format!(
            "<path d=\"M0 {base}C160 {} 260 {} 380 {base}S560 {} 640 {}V640H0Z\" fill=\"{colour}\"/>",
            base - a,
            base + b / 2,
            base - b,
            base + 20
        );
    }
    out
}

fn bars(dice: &mut Dice, colours: [&str; 3]) -> String {
    let count = dice.between(7, 13);
    let step = 520 / count;
    (0..count)
        .map(|bar| {
            let height = dice.between(60, 480);
            let (x, y, width) = (60 + bar * step, 320 - height / 2, step * 2 / 3);
            let colour = colours[dice.below(3) as usize];
            format!(
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"{}\" fill=\"{colour}\"/>",
                width / 2
            )
        })
        .collect()
}

fn tiles(dice: &mut Dice, colours: [&str; 3]) -> String {
    let count = dice.between(3, 6);
    let step = 640 / count;
    let mut out = String::new();
    for place in 0..count * count {
        let (x, y) = (place % count * step, place / count * step);
        let colour = colours[dice.below(3) as usize];
        out += &match dice.below(4) {
            0 => {
                format!("<path d=\"M{x} {y}h{step}a{step} {step} 0 0 1-{step} {step}z\" fill=\"{colour}\"/>")
            }
            1 => format!(
                "<circle cx=\"{}\" cy=\"{}\" r=\"{}\" fill=\"{colour}\"/>",
                x + step / 2,
                y + step / 2,
                step / 3
            ),
            2 => format!(
                "<path d=\"M{x} {y}v{step}h{step}a{step} {step} 0 0 1-{step}-{step}z\" fill=\"{colour}\"/>"
            ),
            _ => String::new(),
        };
    }
    out
}

fn orbits(dice: &mut Dice, [ink, soft, pale]: [&str; 3]) -> String {
    let turn = dice.below(180);
    let mut out = format!(
        "<g transform=\"rotate({turn} 320 320)\"><circle cx=\"320\" cy=\"320\" r=\"74\" fill=\"{ink}\"/>"
    );
    for ring in 1..5 {
        let (rx, ry) = (90 + ring * 52, 40 + ring * dice.between(22, 44));
        out += &format!(
            "<ellipse cx=\"320\" cy=\"320\" rx=\"{rx}\" ry=\"{ry}\" fill=\"none\" stroke=\"{soft}\" stroke-width=\"5\"/>\
             <circle cx=\"{}\" cy=\"320\" r=\"{}\" fill=\"{pale}\"/>",
            320 + rx,
            dice.between(9, 22)
        );
    }
    out + "</g>"
}

fn folds(dice: &mut Dice, colours: [&str; 3]) -> String {
    let (x, y) = (dice.between(180, 460), dice.between(180, 460));
    let corners = [(0, 0), (640, 0), (640, 640), (0, 640)];
    (0..4)
        .map(|side| {
            let ((ax, ay), (bx, by)) = (corners[side], corners[(side + 1) % 4]);
            let (colour, opacity) = (colours[side % 3], dice.between(35, 90));
            format!("<path d=\"M{ax} {ay}L{bx} {by}L{x} {y}Z\" fill=\"{colour}\" opacity=\".{opacity}\"/>")
        })
        .collect()
}
