//go:build !unix

package main

import "os/exec"

// private does nothing: there is no umask.
func private() func() { return func() {} }

// inOwnGroup does nothing: there are no process groups.
func inOwnGroup(*exec.Cmd) {}

// giveWay does nothing: there are no priorities.
func giveWay() {}
