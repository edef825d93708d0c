package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"

	systemd "github.com/coreos/go-systemd/v22/daemon"
	"github.com/spf13/cobra"

	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/metrics"
	"kbus.example/kbus/internal/web"
)

// kbus-web web: the page that shows the buses. What it shows is internal/web; here are the flags, and the rule that whoever
// can reach the page from elsewhere needs a token, which nobody on the way may read.

type showing struct {
	*line
	listen    string
	tokenFile string
	cert, key string
	data      int
	viewers   int
	figures   metrics.Config
	allow     string
}

func webCommand(l *line) *cobra.Command {
	w := &showing{line: l}
	c := &cobra.Command{
		Use:   "web",
		Short: "serve a page that shows the buses, as they live",
		Long: `web serves a page for browsers: buses as bowls, Ksocks as fish, messages as they
swim, queues, what was missed, who owes an answer, and why a send was refused; with a
time line to step back through the last minutes.

At / is the page, at /events its stream, at /metrics are the figures that
'kbus-web metrics --listen' serves. With --allow pages of yours can be clients of a bus
through a WebSocket at /socket; the file says which page may do what, with which
token (see 'kbus-web help socket').

It listens on loopback, where all users of this machine can look: --token-file
makes them know a token. Another address takes a token and TLS: --token-file, --cert
and --key. It shows all buses, also those that come later, or that given with --bus.
No bus notices, and it may be stopped at any time. Who may look is the daemon's
setting 'taps'.`,
		Example: `kbus-web web
kbus-web web --listen 127.0.0.1:8080 --data 0
kbus-web web --listen :8443 --token-file token --cert cert.pem --key key.pem`,
		Args: cli.Takes(),
	}
	f := c.Flags()
	f.StringVar(&w.listen, "listen", "127.0.0.1:8080", "serve the page at `HOST:PORT`")
	f.StringVar(&w.tokenFile, "token-file", "", "`FILE` with a token that everybody must know who looks, as password or bearer token")
	f.StringVar(&w.cert, "cert", "", "`FILE` with the certificate for TLS, in PEM")
	f.StringVar(&w.key, "key", "", "`FILE` with its key, in PEM")
	f.IntVar(&w.data, "data", 256, "`BYTES` of each message's data that are shown; 0: none")
	f.IntVar(&w.viewers, "viewers", 16, "so many may look at the same time")
	f.StringVar(&w.allow, "allow", "", "serve /socket too, through which pages are clients, with this `FILE` of doors")
	_ = c.MarkFlagFilename("allow", "toml")
	labelFlags(f, &w.figures)
	for _, name := range []string{"token-file", "cert", "key"} {
		_ = c.MarkFlagFilename(name)
	}
	c.RunE = func(cmd *cobra.Command, _ []string) error {
		config, secure, err := w.check()
		if err != nil {
			return err
		}
		ctx, done := cli.UntilSignal(cmd.Context())
		defer done()
		return w.serve(ctx, config, secure, cmd.Flags().Changed("bus"))
	}
	return c
}

// check says what contradicts itself, and reads the files.
func (w *showing) check() (c web.Config, secure *tls.Config, err error) {
	host, _, err := net.SplitHostPort(w.listen)
	if err != nil {
		return c, nil, cli.Misused(fmt.Sprintf("--listen %s: it must be HOST:PORT, such as 127.0.0.1:8080", w.listen))
	}
	c.Loopback = web.IsLoopback(host)
	switch {
	case (w.cert == "") != (w.key == ""):
		return c, nil, cli.Misused("--cert and --key go together: the certificate, and its key")
	case !c.Loopback && (w.tokenFile == "" || w.cert == ""):
		return c, nil, cli.Misused(fmt.Sprintf("--listen %s: other machines reach that address, so it takes --token-file FILE, --cert FILE and "+
			"--key FILE. Or listen at 127.0.0.1, and look from elsewhere with ssh -L 8080:127.0.0.1:8080", w.listen))
	case w.data < 0:
		return c, nil, cli.Misused("--data is 0 or more")
	case w.viewers < 1:
		return c, nil, cli.Misused("--viewers must be 1 or more")
	}
	if err := checkLabels(&w.figures); err != nil {
		return c, nil, err
	}
	if w.data == 0 {
		w.data = -1
	}
	if w.tokenFile != "" {
		if c.Token, err = web.ReadToken(w.tokenFile); err != nil {
			return c, nil, fmt.Errorf("--token-file: %w", err)
		}
	}
	if w.cert != "" {
		pair, err := tls.LoadX509KeyPair(w.cert, w.key)
		if err != nil {
			return c, nil, fmt.Errorf("--cert %s and --key %s: %w", w.cert, w.key, err)
		}
		secure = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	return c, secure, nil
}

// serve serves the page until ctx ends.
func (w *showing) serve(ctx context.Context, config web.Config, secure *tls.Config, oneBus bool) error {
	beside := map[string]http.Handler{}
	if w.allow != "" {
		socket, err := socketHandler(w.line, w.allow)
		if err != nil {
			return err
		}
		beside["GET /socket"], config.Doors = socket, []string{"/socket"}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", w.listen)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", w.listen, err)
	}
	b := newBuses(w)
	go b.look(ctx, oneBus)
	context.AfterFunc(ctx, b.hub.End)
	beside["GET /events"], beside["GET /metrics"] = b.hub, figuresOf(b.registry)
	handler := web.New(config, beside)
	w.announce(address(listener, secure != nil))
	_, _ = systemd.SdNotify(false, systemd.SdNotifyReady) // without systemd this does nothing
	return web.Serve(ctx, listener, secure, handler, w.complaints())
}

// address is where the page is, as a browser takes it: on all addresses of the machine by its name.
func address(listener net.Listener, secure bool) string {
	host, port, _ := net.SplitHostPort(listener.Addr().String())
	if net.ParseIP(host).IsUnspecified() {
		if name, err := os.Hostname(); err == nil {
			host = name
		}
	}
	scheme := "http"
	if secure {
		scheme = "https"
	}
	return fmt.Sprintf("%s://%s/", scheme, net.JoinHostPort(host, port))
}

// announce says where the page is.
func (w *showing) announce(url string) {
	if w.JSON {
		_ = cli.WriteJSON(w.Err, struct {
			Message string `json:"message"`
			URL     string `json:"url"`
		}{"the page is at " + url, url})
		return
	}
	w.remark("the page is at " + url)
}
