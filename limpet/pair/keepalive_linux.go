package pair

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// An original Limpet sends no heartbeat (R9.62), so TCP itself has to notice when its machine is gone without a word:
// within half a minute, whether something is on its way or nothing is.

const mostSilence = 30 * time.Second

func keepAlive(c net.Conn) {
	t, isTCP := c.(*net.TCPConn)
	if !isTCP {
		return
	}
	_ = t.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable: true, Idle: mostSilence / 2, Interval: mostSilence / 6, Count: 3,
	}) // without, it takes longer
	if raw, err := t.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(mostSilence/time.Millisecond))
		})
	}
}
