package main

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/rundir"
	"kbus.example/kbus/internal/web"
	"kbus.example/kbus/internal/websocket"
)

// kbus-web socket: pages in browsers as clients of a bus, at /socket. What a page may do is internal/websocket; here are the
// address and the flags.

func socketCommand(l *line) *cobra.Command {
	var listen, allow string
	c := &cobra.Command{
		Use:   "socket",
		Short: "let pages in browsers be clients of a bus",
		Long: `socket lets programs in JavaScript send and receive messages through a WebSocket,
at /socket. A file of doors says which page may do what, with which token; what it
does not name nobody may do.

It listens on this machine only: put a server with TLS before it.`,
		Example: `kbus-web socket --allow doors.toml
kbus-web socket --allow doors.toml --listen 127.0.0.1:8081`,
		Args: cli.Takes(),
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:8081", "serve at `HOST:PORT`")
	c.Flags().StringVar(&allow, "allow", "", "`FILE` of doors")
	_ = c.MarkFlagRequired("allow")
	_ = c.MarkFlagFilename("allow", "toml")
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		host, _, err := net.SplitHostPort(listen)
		if ip := net.ParseIP(host); err != nil || host != "localhost" && (ip == nil || !ip.IsLoopback()) {
			return cli.Misused(fmt.Sprintf("--listen %s: it must be an address of this machine alone, such as 127.0.0.1:8081", listen))
		}
		socket, err := socketHandler(l, allow)
		if err != nil {
			return err
		}
		ctx, done := cli.UntilSignal(cmd.Context())
		defer done()
		return serveSocket(ctx, l, listen, socket)
	}
	return c
}

// socketHandler is what serves /socket, for a file of doors. Connections end with the context of their requests.
func socketHandler(l *line, allow string) (http.Handler, error) {
	doors, err := websocket.Load(allow)
	if err != nil {
		return nil, fmt.Errorf("--allow: %w", err)
	}
	dial := func(ctx context.Context, bus uint32) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", rundir.SocketPath(l.Directory(), bus))
	}
	handler := websocket.New(doors, dial, websocket.DefaultPatience)
	handler.Refused = l.remark
	return handler, nil
}

func serveSocket(ctx context.Context, l *line, address string, socket http.Handler) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", address, err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /socket", socket)
	l.remark(fmt.Sprintf("programs in pages connect to ws://%s/socket", listener.Addr()))
	return web.Serve(ctx, listener, nil, mux, l.complaints())
}
