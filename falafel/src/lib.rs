//! A simulated Falafel: job servers with the original's habits over a small world state whose requests are true statements.
