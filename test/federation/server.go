package main

import (
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/coreos/go-systemd/v22/daemon"

	"kbus.example/kbus/limpet/federation/server"
)

// A NATS server that is no Limpet is a process of this program, so that it can be killed alone.

const serverRole = "nats-server"

// beServer is such a process. Its arguments are its name, its address, its directory and the addresses of the others.
func beServer(args []string) int {
	s, err := server.Start(server.Config{
		Name: args[0], Listen: args[1] + ":4222", Store: args[2], Cluster: "test", Peers: args[1] + ":6222",
		Routes: strings.Split(args[3], ","), Open: true, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	s.Shutdown()
	return 0
}

// startServer starts one in the member's namespace.
func (b *member) startServer() (err error) {
	var routes []string
	for _, other := range b.testbed.members {
		if other != b {
			routes = append(routes, other.address()+":6222")
		}
	}
	b.server, err = b.start(serverRole, serverRole, b.serverName(), b.address(), filepath.Join(b.dir, "nats"),
		strings.Join(routes, ","))
	return err
}

func (b *member) serverName() string { return fmt.Sprintf("server%d", b.id) }
