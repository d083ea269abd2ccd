//! The memory that is available to this process and its children.

use std::{fs, path::PathBuf};

/// Linux: the machine's available memory or the container's, below its limits,
/// whichever is less.
#[derive(Debug)]
pub(crate) struct SystemMemory {
    /// `/`, or in tests a folder with copies of the files that are read.
    root: PathBuf,
}

impl Default for SystemMemory {
    fn default() -> Self {
        Self { root: "/".into() }
    }
}

impl SystemMemory {
    /// The available bytes; `None` if the system does not report them.
    pub(crate) fn free_bytes(&self) -> Option<u64> {
        let groups = self.groups();
        let left = groups.iter().filter_map(|group| self.left_in(group));
        left.chain(self.available()).min()
    }

    /// `MemAvailable` (proc(5)): free memory and reclaimable caches, in bytes.
    fn available(&self) -> Option<u64> {
        let text = self.read("proc/meminfo")?;
        Some(number_after(&text, "MemAvailable:")? * 1024)
    }

    /// The process's cgroup (v2) and its ancestors, each of which may have a
    /// limit. In a container the process's own group is the root.
    fn groups(&self) -> Vec<String> {
        let text = self.read("proc/self/cgroup").unwrap_or_default();
        let Some(own) = text.lines().find_map(|line| line.strip_prefix("0::/")) else {
            return Vec::new();
        };
        let mut groups = vec![String::new()];
        for part in own.split('/').filter(|part| !part.is_empty()) {
            let above = &groups[groups.len() - 1];
            groups.push(format!("{above}/{part}"));
        }
        groups
    }

    /// The bytes below a group's limit. Inactive file caches count as free,
    /// because the kernel can drop them.
    fn left_in(&self, group: &str) -> Option<u64> {
        let read = |file: &str| self.read(&format!("sys/fs/cgroup{group}/{file}"));
        // `max`: no limit.
        let limit: u64 = read("memory.max")?.trim().parse().ok()?;
        let used: u64 = read("memory.current")?.trim().parse().ok()?;
        let stat = read("memory.stat").unwrap_or_default();
        let droppable = number_after(&stat, "inactive_file ").unwrap_or(0);
        Some((limit + droppable).saturating_sub(used).min(limit))
    }

    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }
}

/// The first number after `name`, which begins a line.
pub(crate) fn number_after(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MEMINFO: &str = "MemTotal: 24000000 kB\nMemFree: 100 kB\nMemAvailable: 8000000 kB\n";

    #[track_caller]
    fn free(files: &[(&str, &str)], expected: Option<u64>) {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().to_owned();
        for (path, text) in files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        assert_eq!(SystemMemory { root }.free_bytes(), expected);
    }

    #[test]
    fn the_least_of_machine_and_containers_counts() {
        free(&[], None);
        free(&[("proc/meminfo", MEMINFO)], Some(8_192_000_000));
        let stat = "anon 5\nfile 900\ninactive_file 600\nactive_file 300\n";
        let own = [
            ("proc/meminfo", MEMINFO),
            ("proc/self/cgroup", "0::/kubepods/pod7\n"),
            ("sys/fs/cgroup/kubepods/pod7/memory.max", "max\n"),
            ("sys/fs/cgroup/kubepods/pod7/memory.current", "5000\n"),
        ];
        free(&own, Some(8_192_000_000));
        let above = [
            ("sys/fs/cgroup/kubepods/memory.max", "10000\n"),
            ("sys/fs/cgroup/kubepods/memory.current", "7000\n"),
            ("sys/fs/cgroup/kubepods/memory.stat", stat),
        ];
        free(&[&own[..], &above].concat(), Some(3_600));
        // A container sees its own group as the root.
        let root = [
            ("proc/meminfo", MEMINFO),
            ("proc/self/cgroup", "0::/\n"),
            ("sys/fs/cgroup/memory.max", "10000\n"),
            ("sys/fs/cgroup/memory.current", "12000\n"),
            ("sys/fs/cgroup/memory.stat", stat),
        ];
        free(&root, Some(0));
    }
}
