package wire

// Peer is the process behind a Ksock, as the bus knew it at its connect.
type Peer struct {
	UID, GID, PID uint32
	Connected     bool   // the Ksock is still open
	Program       string // its name, at most MaxProgramBytes of it
}

const peerHeadBytes = 16

// AppendPeer appends the payload of Peer's result.
func AppendPeer(b []byte, p Peer) []byte {
	b = le.AppendUint32(b, p.UID)
	b = le.AppendUint32(b, p.GID)
	b = le.AppendUint32(b, p.PID)
	state := uint32(0)
	if p.Connected {
		state = 1
	}
	b = le.AppendUint32(b, state)
	return append(b, p.Program...)
}

// ParsePeer reads it. It reports false when it is not one.
func ParsePeer(b []byte) (p Peer, ok bool) {
	if len(b) < peerHeadBytes {
		return Peer{}, false
	}
	return Peer{
		UID: le.Uint32(b), GID: le.Uint32(b[4:]), PID: le.Uint32(b[8:]), Connected: le.Uint32(b[12:])&1 != 0,
		Program: string(b[peerHeadBytes:]),
	}, true
}
