package wire

import "kbus/message"

// What the federator of a bus is asked, and what it says.

// Claim is a Ksock that wants to become the Replier of a name.
type Claim struct {
	ID    uint32 // of the claim
	Ksock uint32
	PID   uint32
	Name  string
}

const claimHeadBytes = 12

// AppendClaim appends the payload of NextClaim's result.
func AppendClaim(b []byte, c Claim) []byte {
	b = le.AppendUint32(b, c.ID)
	b = le.AppendUint32(b, c.Ksock)
	b = le.AppendUint32(b, c.PID)
	return append(b, c.Name...)
}

// ParseClaim reads it. It reports false when it is not one.
func ParseClaim(b []byte) (c Claim, ok bool) {
	if len(b) < claimHeadBytes {
		return Claim{}, false
	}
	return Claim{le.Uint32(b), le.Uint32(b[4:]), le.Uint32(b[8:]), string(b[claimHeadBytes:])}, true
}

// DecisionBytes is the length of the payload of Decide: one condition. The claim is the argument.
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
