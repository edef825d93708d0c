package envelope

import "kbus.example/kbus/message"

// The data of a Probe is ids of Requests, and that of its answer, States, what has become of them.

// State is what a Replier's member knows of a Request.
type State uint32

const (
	Unknown State = iota // nothing: it never came, or it is over
	Working              // the Replier has not answered yet
)

// IDState is a Request and what is known of it.
type IDState struct {
	ID    message.ID
	State State
}

const (
	idBytes    = 8
	stateBytes = 12
)

// AppendIDs is the data of a Probe.
func AppendIDs(b []byte, ids []message.ID) []byte {
	for _, id := range ids {
		b = big.AppendUint32(b, id.Network)
		b = big.AppendUint32(b, id.Serial)
	}
	return b
}

// IDs reads it. What is left over at the end is ignored.
func IDs(b []byte) []message.ID {
	ids := make([]message.ID, 0, len(b)/idBytes)
	for ; len(b) >= idBytes; b = b[idBytes:] {
		ids = append(ids, message.ID{Network: big.Uint32(b), Serial: big.Uint32(b[4:])})
	}
	return ids
}

// AppendStates is the data of States.
func AppendStates(b []byte, states []IDState) []byte {
	for _, s := range states {
		b = big.AppendUint32(b, s.ID.Network)
		b = big.AppendUint32(b, s.ID.Serial)
		b = big.AppendUint32(b, uint32(s.State))
	}
	return b
}

// StatesOf reads it.
func StatesOf(b []byte) []IDState {
	states := make([]IDState, 0, len(b)/stateBytes)
	for ; len(b) >= stateBytes; b = b[stateBytes:] {
		states = append(states, IDState{message.ID{Network: big.Uint32(b), Serial: big.Uint32(b[4:])},
			State(big.Uint32(b[8:]))})
	}
	return states
}
