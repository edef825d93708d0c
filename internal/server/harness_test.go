package server

import (
	"testing"

	"kbus.example/kbus/internal/logger"
	"kbus.example/kbus/internal/rundir"
	"kbus.example/kbus/internal/testing/journal"
	"kbus.example/kbus/internal/testing/rawclient"
)

// bench is a running server with its log.
type bench struct {
	*Server
	*journal.Journal
	t *testing.T
}

// start runs a server in a directory of its own; change, if not nil, adjusts the configuration.
func start(t *testing.T, change func(*Config)) *bench {
	t.Helper()
	config := Default()
	config.RingBytes = 64 << 10 // the tests fill them, and go beyond their ends
	config.Dir = t.TempDir()
	if change != nil {
		change(&config)
	}
	j := journal.New(t)
	s, err := Start(config, logger.New(logger.NewText(j, logger.LevelDebug)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Stop(0)
		s.Wait()
		j.End("the server was stopped")
	})
	return &bench{s, j, t}
}

func (b *bench) path(bus int) string { return rundir.SocketPath(b.Dir(), uint32(bus)) }

// open is a Ksock on bus 0.
func (b *bench) open() *rawclient.Client {
	b.t.Helper()
	return rawclient.Open(b.t, b.path(0))
}

// dial is a connection to bus 0 that has said nothing yet.
func (b *bench) dial() *rawclient.Client {
	b.t.Helper()
	return rawclient.Dial(b.t, b.path(0))
}

// turn returns when the loop of a bus has turned.
func (b *bench) turn(bus int) {
	done := make(chan struct{})
	b.all()[bus].Post(func() { close(done) })
	<-done
}

var announcement, request, replyTo = rawclient.Announcement, rawclient.Request, rawclient.ReplyTo
