package clients

import (
	"context"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"kbus.example/kbus/internal/websocket"
)

// A client may come through a WebSocket: then the bus that a script plays stands behind the real handler for pages, with a door
// through which all may be done. So the scripts see that it changes nothing.

const gatewayToken = "a-token-of-these-scripts"

const openDoor = `[[door]]
origin = "none"
token-file = "token"
bus = [0]
send = ["$.*"]
listen = ["$.*"]
request = ["$.*"]
reply = ["$.*"]
`

// gateway gives the address of a handler before the socket at path, with the token behind it.
func gateway(t *testing.T, path string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"doors.toml": openDoor, "token": gatewayToken} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	doors, err := websocket.Load(filepath.Join(dir, "doors.toml"))
	if err != nil {
		t.Fatal(err)
	}
	dial := func(ctx context.Context, _ uint32) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}
	s := httptest.NewServer(websocket.New(doors, dial, websocket.DefaultPatience))
	t.Cleanup(s.Close)
	return s.URL + "#" + gatewayToken
}
