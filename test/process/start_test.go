package process

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Whatever happens to the test, and be it a kill, none of its processes outlives it, not even a stopped one: the kernel
// kills them when we die. It does so when the thread that started them ends, so one thread that ends only with us
// starts all of them.

type toStart struct {
	command *exec.Cmd
	started chan error
}

var starts = make(chan toStart)

func startProcesses() {
	runtime.LockOSThread()
	for s := range starts {
		s.command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		s.started <- s.command.Start()
	}
}

func startProcess(c *exec.Cmd) error {
	s := toStart{c, make(chan error, 1)}
	starts <- s
	return <-s.started
}
