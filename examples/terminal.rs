//! An oscillator in the terminal: type a number to change its stiffness, an empty line to go on, `q` to end.
//!
//! `cargo run --release --example terminal`

use std::io::{self, BufRead, Write};

// A model can be written where it is used.
nullcline::model!(oscillator {
    d/dt x = y;
    d/dt y = mu*(1 - x^2)*y - x;
    x: output(1.0);
    y: variable(0.0);
    mu: 1.0;
}, dt = 0.01, scheme = rk4);

/// Size of a picture in characters.
const WIDTH: usize = 72;
const HEIGHT: usize = 15;

/// Draws a window of the trajectory.
fn draw(rows: &[oscillator::Outputs]) -> String {
    let mut picture = vec![[' '; WIDTH]; HEIGHT];
    for (column, row) in rows.iter().enumerate() {
        // From -3 at the bottom to 3 at the top.
        let height = (row.x + 3.0) / 6.0 * (HEIGHT - 1) as f64;
        let line = HEIGHT - 1 - height.round().clamp(0.0, (HEIGHT - 1) as f64) as usize;
        picture[line][column] = '*';
    }
    picture.iter().map(|line| line.iter().collect::<String>() + "\n").collect()
}

fn main() -> io::Result<()> {
    let mut model = oscillator::Model::default();
    let mut input = io::stdin().lock().lines();
    loop {
        let mut rows = [oscillator::Outputs::default(); WIDTH];
        model.run_into(25, &mut rows);
        println!("{}t = {:.1}, mu = {}", draw(&rows), model.time(), model.parameters().mu);
        print!("mu> ");
        io::stdout().flush()?;
        match input.next().transpose()?.as_deref().map(str::trim) {
            None | Some("q") => return Ok(()),
            Some(text) => {
                if let Ok(mu) = text.parse() {
                    model.parameters_mut().mu = mu;
                }
            }
        }
    }
}
