package pair

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// The protocol has no heartbeat (R9.62), so TCP itself has to notice when the other machine is gone without a word:
// within half a minute, whether something is on its way or nothing is.

const silence = 30 * time.Second

func watch(c net.Conn) {
	t, isTCP := c.(*net.TCPConn)
	if !isTCP {
		return
	}
	_ = t.SetKeepAliveConfig(net.KeepAliveConfig{
		Enable: true, Idle: silence / 2, Interval: silence / 6, Count: 3,
	}) // without, it takes longer
	if raw, err := t.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(silence/time.Millisecond))
		})
	}
}
