package wire

// The first frame of a client says which versions it speaks and what it would like besides; the answer says what both
// will use. Both may grow at the end: a reader ignores what it does not know.

// Magic begins the payload of a Hello, so that the first frame shows whether a client speaks this protocol.
const Magic = "KBUS"

// Mode bits, the argument of a Hello. Neither bit makes an observer: no Ksock, reports only.
const (
	ModeRead  = 1
	ModeWrite = 2
)

// Hello is what a client says first.
type Hello struct {
	Lowest, Highest uint16 // versions that the client speaks
	Features        uint32 // that it wants, see FeatureRings
}

// FeatureRings asks that frames go through memory shared by both sides instead of the socket (package ring). If it is
// granted, descriptors come with the answer: the segment, the daemon's bell, perhaps the log, and the client's bell
// unless that is the socket. And it is the last frame in the socket.
//
// Bits 0 and 2 were for rings of another layout, with words of 64 bits and bells that both sides had. They are not
// granted any more: clients that ask for those go on over the socket.
const FeatureRings = 32

// FeatureSocketBell, only together with FeatureRings, asks for bytes in the socket as the bell. That is slower, and for
// a client whose program polls the socket.
const FeatureSocketBell = 64

// BellEvent is what the client's bell is called by the epoll that hears it, in both halves.
const BellEvent = -1

// FeatureArena asks, together with FeatureRings, that the window may show messages whose data lies in the log, memory
// that all clients of a bus read. If it is granted, the descriptor of the log is the third.
const FeatureArena = 2

// FeatureOriginal says that the Ksock is an original one: its program was written for the original KBUS (F42, F50).
const FeatureOriginal = 8

// FeatureMissed asks that messages tell how many were missed before them, see AppendMissed.
const FeatureMissed = 16

// FeatureRuns asks for one result where many lazy ones of SendMessage would say the same: its argument is how many more it
// stands for.
const FeatureRuns = 128

// FeatureTrace asks that messages may carry a trace context, both ways, see package message, AppendTrace.
const FeatureTrace = 256

const helloBytes = 12

// AppendHello appends the payload of a Hello.
func AppendHello(b []byte, h Hello) []byte {
	b = append(b, Magic...)
	b = le.AppendUint16(b, h.Lowest)
	b = le.AppendUint16(b, h.Highest)
	return le.AppendUint32(b, h.Features)
}

// ParseHello reads the payload of a Hello. It reports false when it is none.
func ParseHello(b []byte) (h Hello, ok bool) {
	if len(b) < helloBytes || string(b[:len(Magic)]) != Magic {
		return h, false
	}
	return Hello{le.Uint16(b[4:]), le.Uint16(b[6:]), le.Uint32(b[8:])}, true
}

// Welcome is the answer to a Hello. The Ksock id is the argument of its frame.
type Welcome struct {
	Version            uint16 // that both use from now on
	Bus                uint32 // number of the bus
	Features           uint32 // granted, of those wanted
	AbsMaxMessageBytes uint32 // the largest maximum message size that this bus may ever have (R3.86)
	Server             string // name and version of the server, for people
}

const welcomeBytes = 16

// AppendWelcome appends the payload of the answer to a Hello.
func AppendWelcome(b []byte, w Welcome) []byte {
	b = le.AppendUint16(b, w.Version)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint32(b, w.Bus)
	b = le.AppendUint32(b, w.Features)
	b = le.AppendUint32(b, w.AbsMaxMessageBytes)
	return append(b, w.Server...)
}

// ParseWelcome reads the payload of the answer to a Hello.
func ParseWelcome(b []byte) (w Welcome, ok bool) {
	if len(b) < welcomeBytes {
		return w, false
	}
	return Welcome{
		Version:            le.Uint16(b),
		Bus:                le.Uint32(b[4:]),
		Features:           le.Uint32(b[8:]),
		AbsMaxMessageBytes: le.Uint32(b[12:]),
		Server:             string(b[welcomeBytes:]),
	}, true
}
