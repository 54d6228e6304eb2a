//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// private keeps files that are made from now on to their owner, until the function
// that it returns is called.
func private() func() {
	before := syscall.Umask(0o077)
	return func() { syscall.Umask(before) }
}

// owns reports whether a folder is there and this user's.
func owns(dir string) bool {
	info, err := os.Lstat(dir)
	if err != nil {
		return false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid()
}

// inOwnGroup gives a command a process group of its own, for giveWay.
func inOwnGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// giveWay lowers the priority of this process's group, for good: of a processor that
// others want, too, it has a quarter then, and all of one that nobody wants. The priority
// of the process alone would be that of one thread on Linux. It does nothing in a group
// that is not the process's own, such as a script's, which would be slow ever after.
func giveWay() {
	if syscall.Getpgrp() == os.Getpid() {
		_ = syscall.Setpriority(syscall.PRIO_PGRP, 0, 5)
	}
}
