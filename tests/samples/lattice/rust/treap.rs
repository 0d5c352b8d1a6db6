// SPDX-License-Identifier: GPL-3.0-or-later
pub struct Node {
    key: u64,
    weight: u32,
    size: usize,
    left: Option<Box<Node>>,
    right: Option<Box<Node>>,
}

fn size_of(node: &Option<Box<Node>>) -> usize {
    node.as_ref().map_or(0, |inner| inner.size)
}

/// Split by key: what is smaller goes left.
pub fn split(node: Option<Box<Node>>, key: u64) -> (Option<Box<Node>>, Option<Box<Node>>) {
    match node {
        None => (None, None),
        Some(mut inner) => {
            if inner.key < key {
                let (middle, rest) = split(inner.right.take(), key);
                inner.right = middle;
                inner.size = 1 + size_of(&inner.left) + size_of(&inner.right);
                (Some(inner), rest)
            } else {
                let (rest, middle) = split(inner.left.take(), key);
                inner.left = middle;
                inner.size = 1 + size_of(&inner.left) + size_of(&inner.right);
                (rest, Some(inner))
            }
        }
    }
}

pub fn next_weight(state: &mut u32) -> u32 {
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    state.wrapping_mul(0x9E37_79B1)
}
