pub fn ridges(heights: &[f32], width: usize, cell: f32) -> Vec<f32> {
    let directions: [(isize, isize); 4] = [(0, 1), (1, 0), (1, 1), (1, -1)];
    let n = heights.len() / width;
    let at = |i: isize, j: isize| -> Option<f32> {
        if i < 0 || j < 0 || i >= n as isize || j >= width as isize {
            return None;
        }
        Some(heights[i as usize * width + j as usize])
    };
    let mut result = vec![0.0f32; heights.len()];
    for i in 0..n as isize {
        for j in 0..width as isize {
            let here = heights[i as usize * width + j as usize];
            for (number, (di, dj)) in directions.iter().enumerate() {
                if let (Some(a), Some(b)) = (at(i + di, j + dj), at(i - di, j - dj)) {
                    let span = if number < 2 { cell } else { cell * 1.41421356 };
                    let fall_a = (here - a) / span;
                    let fall_b = (here - b) / span;
                    let least = fall_a.min(fall_b);
                    if least > 0.0 {
                        let value = 0.75 * least + 0.25 * (fall_a + fall_b) / 2.0;
                        let place = i as usize * width + j as usize;
                        result[place] = result[place].max(value);
                    }
                }
            }
        }
    }
    result
}
