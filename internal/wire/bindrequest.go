package wire

import (
	"strings"

	"kbus.example/kbus/message"
)

// What Limpets ask of a bus, and the bind requests that a federator takes and answers.

// Proxy is a Replier elsewhere that a Limpet binds for here: the payload of BindProxy.
type Proxy struct {
	Of   message.Origin
	Name string
}

const proxyHeadBytes = 8

// AppendProxy appends that payload.
func AppendProxy(b []byte, p Proxy) []byte {
	b = le.AppendUint32(b, p.Of.Network)
	b = le.AppendUint32(b, p.Of.Local)
	return append(b, p.Name...)
}

// ParseProxy reads it. It reports false when it is too short to be one. The name points into b.
func ParseProxy(b []byte) (of message.Origin, name []byte, ok bool) {
	if len(b) < proxyHeadBytes {
		return of, nil, false
	}
	return message.Origin{Network: le.Uint32(b), Local: le.Uint32(b[4:])}, b[proxyHeadBytes:], true
}

// BindRequest is a Ksock that wants to become the Replier of a name, or the proxy of one elsewhere.
type BindRequest struct {
	ID    uint32 // of the request
	Ksock uint32
	PID   uint32
	Of    message.Origin // of a proxy: its Replier elsewhere
	Name  string
}

const bindRequestHeadBytes = 20

// AppendBindRequest appends the payload of NextBindRequest's result.
func AppendBindRequest(b []byte, c BindRequest) []byte {
	b = le.AppendUint32(b, c.ID)
	b = le.AppendUint32(b, c.Ksock)
	b = le.AppendUint32(b, c.PID)
	return AppendProxy(b, Proxy{c.Of, c.Name})
}

// ParseBindRequest reads it. It reports false when it is not one.
func ParseBindRequest(b []byte) (c BindRequest, ok bool) {
	if len(b) < bindRequestHeadBytes {
		return BindRequest{}, false
	}
	c = BindRequest{ID: le.Uint32(b), Ksock: le.Uint32(b[4:]), PID: le.Uint32(b[8:]), Name: string(b[bindRequestHeadBytes:])}
	c.Of, _, _ = ParseProxy(b[12:])
	return c, true
}

// DecisionBytes is the length of the payload of Decide: one condition. The request is the argument.
const DecisionBytes = 4

// AppendDecision appends that payload.
func AppendDecision(b []byte, verdict message.Condition) []byte {
	return le.AppendUint32(b, uint32(verdict))
}

// ParseDecision reads it. It reports false for a condition that does not exist.
func ParseDecision(b []byte) (verdict message.Condition, ok bool) {
	if len(b) != DecisionBytes || le.Uint32(b) > 255 {
		return 0, false
	}
	verdict = message.Condition(le.Uint32(b))
	return verdict, verdict.Known()
}

// JoinNames is the payload of Federate: names, with a space between.
func JoinNames(names []string) string { return strings.Join(names, " ") }

// ParseNames reads it.
func ParseNames(b []byte) []string { return strings.Fields(string(b)) }

// VouchBytes is the length of the payload of Vouch: until when, in nanoseconds since the machine was started.
const VouchBytes = 8

// AppendVouch appends that payload.
func AppendVouch(b []byte, until uint64) []byte { return le.AppendUint64(b, until) }

// ParseVouch reads it; b must be VouchBytes long.
func ParseVouch(b []byte) (until uint64) { return le.Uint64(b) }
