package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"kbus.example/kbus/internal/wire"
	"kbus.example/kbus/message"
)

// Beside the page /socket is for pages of others: a door decides who comes in, by the page's origin and the door's own token,
// and the page's token opens no door.
func TestSocketBesideThePage(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	const pages, doors = "0123456789abcdef", "fedcba9876543210"
	file("panel.token", doors)
	allow := file("doors.toml", "[[door]]\norigin = \"https://panel.example\"\ntoken-file = \"panel.token\"\nbus = [0]\nsend = [\"$.Panel.*\"]\n")
	s := newStage(t, "--allow", allow, "--token-file", file("page.token", pages))
	if status, _, _ := s.ask(http.DefaultClient, ""); status != http.StatusUnauthorized {
		t.Errorf("the page without its token: %d", status)
	}
	come := func(origin, token string) (*websocket.Conn, error) {
		conn, _, err := websocket.Dial(t.Context(), strings.Replace(s.url, "http", "ws", 1)+"socket?bus=0", &websocket.DialOptions{
			HTTPHeader: http.Header{"Origin": {origin}}, Subprotocols: []string{"kbus", "kbus.token." + token},
		})
		return conn, err
	}
	for origin, token := range map[string]string{"https://panel.example": pages, "https://other.example": doors} {
		if conn, err := come(origin, token); err == nil {
			if _, _, err = conn.Read(t.Context()); websocket.CloseStatus(err) < 4400 {
				t.Errorf("%s with the token %s: %v", origin, token, err)
			}
		}
	}
	s.web.await("refused at /socket: 127.0.0.1:")
	conn, err := come("https://panel.example", doors)
	must(t, err)
	defer conn.CloseNow()
	hello := wire.AppendHello(nil, wire.Hello{Lowest: 1, Highest: 1})
	frame := wire.AppendHeader(nil, wire.Header{Op: wire.OpHello, Seq: 1, Arg: wire.ModeRead, PayloadBytes: uint32(len(hello))})
	must(t, conn.Write(t.Context(), websocket.MessageBinary, append(frame, hello...)))
	_, answer, err := conn.Read(t.Context())
	must(t, err)
	if h := wire.ParseHeader(answer); h.Op != wire.OpHello || h.Condition != message.OK {
		t.Errorf("the bus says %+v", h)
	}
}
