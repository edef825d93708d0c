package main

import (
	"os/exec"
	"runtime"
)

// A process that is to be killed when its parent dies is killed when the *thread* that started it dies. So all are
// started by one thread that lives as long as we do.

type start struct {
	cmd  *exec.Cmd
	done chan error
}

var starts = func() chan start {
	c := make(chan start)
	go func() {
		runtime.LockOSThread()
		for s := range c {
			s.done <- s.cmd.Start()
		}
	}()
	return c
}()

func startHere(cmd *exec.Cmd) error {
	s := start{cmd, make(chan error, 1)}
	starts <- s
	return <-s.done
}
