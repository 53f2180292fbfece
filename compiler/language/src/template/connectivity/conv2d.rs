//! `conv2d`: one kernel of weights for all places of a grid.

use std::sync::Arc;

use nullcline_runtime::program::Window;

use crate::diagnostic::template as fault;
use crate::source::Name;
use crate::syntax::yaml::{Entry, Node, Value};
use crate::template::distribution::{Distribution, distribution};
use crate::template::edge::is_data_file;
use crate::template::edit::required_text;
use crate::template::fields::{get, only};
use crate::template::resolve::Loader;
use crate::template::value::{count, real};

/// A kernel that slides over the units of the source population, which are the places of a grid, row by row, the channels of
/// a place side by side.
#[derive(Clone, PartialEq, Debug)]
pub struct Conv2d {
    /// Its weights.
    pub kernel: Kernel,
    /// Rows and columns of the kernel.
    pub size: [u32; 2],
    /// Channels of the sources and of the targets.
    pub channels: [u32; 2],
    /// Rows and columns of the sources; a square when not given.
    pub shape: Option<[u32; 2]>,
    /// Rows and columns of the sources from one target to the next.
    pub stride: [u32; 2],
    /// What is beyond the sides of the grid.
    pub padding: Padding,
}

/// The weights of a kernel.
#[derive(Clone, PartialEq, Debug)]
pub enum Kernel {
    /// Numbers `[target channel][source channel][row][column]`.
    Given(Arc<[f64]>),
    /// Drawn ones.
    Drawn(Distribution),
}

/// What a kernel meets beyond the sides of the grid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Padding {
    /// Zeros. The kernel's centre is on a source for every target.
    Zero,
    /// The other side. The kernel's centre is on a source for every target.
    Periodic,
    /// Nothing: the kernel stays inside.
    None,
}

/// The kinds of padding by name.
const PADDINGS: &[(&str, Padding)] =
    &[("zero", Padding::Zero), ("periodic", Padding::Periodic), ("none", Padding::None)];

impl Padding {
    /// Its name in a file.
    pub fn name(self) -> &'static str {
        PADDINGS.iter().find(|(_, padding)| *padding == self).map_or("", |(name, _)| name)
    }
}

impl Conv2d {
    /// A kernel of so many rows and columns for one channel, that moves by one place over a square with zeros around it.
    pub fn new(kernel: Kernel, size: [u32; 2]) -> Conv2d {
        Conv2d { kernel, size, channels: [1, 1], shape: None, stride: [1, 1], padding: Padding::Zero }
    }

    /// Which sources each target reads; `None` if so many sources are no grid of this kind, or one that the kernel does not
    /// fit in.
    pub fn window(&self, sources: usize) -> Option<Window> {
        if [self.size, self.channels, self.stride].as_flattened().contains(&0) {
            return None;
        }
        let [height, width] = match self.shape {
            Some(shape) => shape,
            None => {
                let places = sources / self.channels[0] as usize;
                let side = (places as f64).sqrt().round() as u32;
                [side, side]
            }
        };
        let of_grid = |target: fn(u32, u32, u32) -> Option<u32>| {
            let rows = target(height, self.size[0], self.stride[0])?;
            Some([rows, target(width, self.size[1], self.stride[1])?, self.channels[1]])
        };
        let target = match self.padding {
            Padding::Zero | Padding::Periodic => of_grid(|n, _, stride| Some(n.div_ceil(stride)))?,
            Padding::None => of_grid(|n, size, stride| Some(n.checked_sub(size)? / stride + 1))?,
        };
        let origin = match self.padding {
            Padding::None => [0, 0],
            _ => self.size.map(|n| (n - 1) / 2),
        };
        let source = [height, width, self.channels[0]];
        if source.iter().map(|n| u128::from(*n)).product::<u128>() != sources as u128 {
            return None;
        }
        let periodic = self.padding == Padding::Periodic;
        Some(Window { source, target, kernel: self.size, stride: self.stride, origin, periodic })
    }

    /// Given weights in the order of a window: those of each target channel by row, column and source channel.
    pub fn by_tap(&self, given: &[f64]) -> Arc<[f64]> {
        let [rows, columns] = self.size.map(|n| n as usize);
        let [from, to] = self.channels.map(|n| n as usize);
        let place = |tap: usize| {
            let (target, rest) = (tap / (rows * columns * from), tap % (rows * columns * from));
            (target * from + rest % from) * rows * columns + rest / from
        };
        (0..rows * columns * from * to).map(|tap| given[place(tap)]).collect()
    }
}

/// An array of any number of dimensions.
struct Array {
    shape: Vec<usize>,
    data: Vec<f64>,
}

impl Loader<'_> {
    /// Reads `{kernel: [[0, 1], [1, 0]], shape: [8, 8], stride: 2, padding: periodic}`.
    pub(in crate::template) fn conv2d(
        &mut self,
        home: usize,
        entries: &[Entry],
        owner: &str,
        name: &Name,
    ) -> Option<Conv2d> {
        let Some(kernel) = get(entries, "kernel") else {
            let example = "kernel: [[0, 1, 0], [1, -4, 1], [0, 1, 0]]";
            self.out.push(fault::missing_key(name.span, owner, "kernel", example));
            return None;
        };
        let shape = match get(entries, "shape") {
            None => None,
            Some(entry) => Some(self.counts(&entry.value, "`shape`", 2..=3, "rows, columns and perhaps channels")?),
        };
        let channels = shape.as_ref().and_then(|s| s.get(2)).copied();
        let drawn = matches!(kernel.value.value, Value::Mapping(_));
        let mut keys = vec!["kernel", "shape", "stride", "padding"];
        if drawn {
            keys.extend(["size", "channels"]);
        }
        only(entries, &keys, owner, &mut self.out);
        let (weights, size, channels) = if drawn {
            let Some(entry) = get(entries, "size") else {
                self.out.push(fault::missing_key(kernel.value.span, "a kernel that is drawn", "size", "size: [3, 3]"));
                return None;
            };
            let size = self.pair(&entry.value, "`size`")?;
            let targets = match get(entries, "channels") {
                None => 1,
                Some(entry) => self.counts(&entry.value, "`channels`", 1..=1, "their number")?[0],
            };
            let law = distribution(&kernel.value, "`kernel`", &mut self.out)?;
            (Kernel::Drawn(law), size, [channels.unwrap_or(1), targets])
        } else {
            let Array { shape: found, data } = self.array(home, &kernel.value, "`kernel`")?;
            let narrow = |n: usize| u32::try_from(n).ok();
            let four = match found[..] {
                [rows, columns] => [1, 1, rows, columns].map(narrow),
                [to, from, rows, columns] => [to, from, rows, columns].map(narrow),
                _ => [None; 4],
            };
            let [Some(to), Some(from), Some(rows), Some(columns)] = four else {
                self.out.push(fault::kernel_dimensions(kernel.value.span, &found));
                return None;
            };
            if let Some(given) = channels.or((from != 1 && shape.is_some()).then_some(1)).filter(|given| *given != from)
            {
                let span = get(entries, "shape").map_or(kernel.value.span, |e| e.value.span);
                let places = shape.as_deref().and_then(|s| s.first_chunk::<2>().copied()).unwrap_or([1, 1]);
                self.out.push(fault::kernel_channels(span, places, given, from));
                return None;
            }
            (Kernel::Given(data.into()), [rows, columns], [from, to])
        };
        let stride = match get(entries, "stride") {
            None => [1, 1],
            Some(entry) => self.pair(&entry.value, "`stride`")?,
        };
        let padding = match get(entries, "padding") {
            None => Padding::Zero,
            Some(entry) => {
                let name = required_text(&entry.value, "`padding`", &mut self.out)?;
                match PADDINGS.iter().find(|(known, _)| *known == &*name.text) {
                    Some((_, padding)) => *padding,
                    None => {
                        let known: Vec<&str> = PADDINGS.iter().map(|(known, _)| *known).collect();
                        self.out.push(fault::unknown_choice(&name, "`padding`", &known));
                        return None;
                    }
                }
            }
        };
        let shape = shape.map(|shape| [shape[0], shape[1]]);
        Some(Conv2d { kernel: weights, size, channels, shape, stride, padding })
    }

    /// Two numbers, or one for both.
    fn pair(&mut self, node: &Node, what: &str) -> Option<[u32; 2]> {
        match self.counts(node, what, 1..=2, "rows and columns, or one number for both")?[..] {
            [both] => Some([both, both]),
            [rows, columns] => Some([rows, columns]),
            _ => None,
        }
    }

    /// A list of whole numbers of at least 1; one may stand without a list.
    fn counts(
        &mut self,
        node: &Node,
        what: &str,
        lengths: std::ops::RangeInclusive<usize>,
        expected: &str,
    ) -> Option<Vec<u32>> {
        let items = match &node.value {
            Value::Sequence(items) => &items[..],
            _ => std::slice::from_ref(node),
        };
        if !lengths.contains(&items.len()) {
            self.out.push(fault::wrong_form(node, what, expected));
            return None;
        }
        let read = items.iter().map(|item| {
            let n = count(item, what, 1, &mut self.out)?;
            let narrow = u32::try_from(n).ok().filter(|n| i32::try_from(*n).is_ok());
            if narrow.is_none() {
                self.out.push(fault::too_many_synapses(item.span, n as f64, f64::from(i32::MAX)));
            }
            narrow
        });
        read.collect()
    }

    /// Numbers in nested lists, or in a file.
    fn array(&mut self, home: usize, node: &Node, what: &str) -> Option<Array> {
        if let Value::Scalar(scalar) = &node.value {
            let text = scalar.text.as_str().trim();
            if is_data_file(text) {
                let (shape, data) = self.data_array(home, &Name::new(text, node.span))?;
                return Some(Array { shape, data });
            }
        }
        let mut array = Array { shape: Vec::new(), data: Vec::new() };
        self.nested(node, what, 0, &mut array).then_some(array)
    }

    /// Reads what is `depth` lists deep.
    fn nested(&mut self, node: &Node, what: &str, depth: usize, array: &mut Array) -> bool {
        let Value::Sequence(items) = &node.value else {
            if array.data.is_empty() || array.shape.len() == depth {
                let number = real(node, what, &mut self.out);
                array.data.extend(number);
                return number.is_some();
            }
            self.out.push(fault::wrong_form(node, &format!("a row of {what}"), "a list of numbers"));
            return false;
        };
        if items.is_empty() {
            self.out.push(fault::empty_list(node.span, what));
            return false;
        }
        match array.shape.get(depth) {
            None if array.data.is_empty() => array.shape.push(items.len()),
            None => {
                self.out.push(fault::wrong_form(node, &format!("an entry of {what}"), "a number"));
                return false;
            }
            Some(before) if *before != items.len() => {
                self.out.push(fault::ragged_matrix(node.span, what, *before, items.len()));
                return false;
            }
            Some(_) => {}
        }
        items.iter().all(|item| self.nested(item, what, depth + 1, array))
    }
}
