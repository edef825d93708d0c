package main

import (
	"errors"
	"net"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// namespaceDialer makes connections from within a member's namespace.
type namespaceDialer struct{ path string }

func (h *testbed) dial(i int) (namespaceDialer, error) {
	path := "/run/netns/" + h.namespace(i)
	_, err := os.Stat(path)
	return namespaceDialer{path}, err
}

// Dial moves a thread into the namespace, and lets it end there: a socket keeps the namespace in which it was made.
func (d namespaceDialer) Dial(network, address string) (conn net.Conn, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocks, so that the thread is not used again
		var ns *os.File
		if ns, err = os.Open(d.path); err != nil {
			return
		}
		defer ns.Close()
		if err = unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
			return
		}
		conn, err = net.DialTimeout(network, address, 5*time.Second)
	}()
	<-done
	if conn == nil && err == nil {
		err = errors.New("no connection")
	}
	return conn, err
}
