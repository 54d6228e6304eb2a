//go:build !unix

package main

import (
	"os"
	"os/exec"
)

// private does nothing: there is no umask.
func private() func() { return func() {} }

// owns reports whether a folder is there.
func owns(dir string) bool {
	_, err := os.Lstat(dir)
	return err == nil
}

// inOwnGroup does nothing: there are no process groups.
func inOwnGroup(*exec.Cmd) {}

// giveWay does nothing: there are no priorities.
func giveWay() {}
