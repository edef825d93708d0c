// Package report is how a federation looks from one member, and how one asks for it: over the bus, with a Request that
// the Limpet answers in JSON. It knows nothing of NATS, so programs that only ask link nothing of that.
package report

// Name is the Request. It has a Replier on every bus that is joined.
const Name = "$.KBUS.Federation.Status"

// Ordered is the policy of an ordered member.
const Ordered = "ordered"

// Status is the answer. Its parts are one object in JSON, with their fields in this order.
type Status struct {
	Self
	NameCounts
	MessageCounts
	RequestCounts
	Backlog
	Peers []Peer `json:"peers"`
}

// Self is the member that answers.
type Self struct {
	Federation string  `json:"federation"`
	ID         uint32  `json:"id"`
	Epoch      uint64  `json:"epoch"`
	Policy     string  `json:"policy"`
	Server     string  `json:"server"` // of NATS that it talks to, empty if none
	InTouch    bool    `json:"in_touch"`
	LeaseLeft  float64 `json:"lease_left_seconds"`
	UpSeconds  float64 `json:"up_seconds"`
}

// NameCounts count claims.
type NameCounts struct {
	Names int `json:"names"` // in the directory
	Own   int `json:"own"`   // of them that are held here
}

// MessageCounts count announcements.
type MessageCounts struct {
	Announced uint64 `json:"announced"` // ordered: by this member
	Received  uint64 `json:"heard"`     // ordered: delivered, our own among them
	Copies    uint64 `json:"copies_dropped"`
}

// RequestCounts count what wants an answer.
type RequestCounts struct {
	Requests    uint64 `json:"requests"`
	Replies     uint64 `json:"replies"`
	Statuses    uint64 `json:"statuses"`
	Outstanding int    `json:"outstanding"` // of this bus, which other members have not answered
	Working     int    `json:"working"`     // of other members, which are kept here
}

// Backlog is what has yet to get through the Limpet, and what did not.
type Backlog struct {
	ToPassOn    uint32 `json:"to_pass_on"` // messages of this bus that the Limpet has not read yet; ordered: of the inlet
	ToDeliver   int    `json:"to_deliver"` // that have come from NATS, and this bus has not got yet; ordered: entries
	Undelivered uint64 `json:"undelivered"`
	Unsent      uint64 `json:"unsent"`
	Refused     uint64 `json:"refused"`
	LostEntries uint64 `json:"lost_entries,omitempty"` // ordered: gone from the stream before this bus could get them
}

// Peer is another member.
type Peer struct {
	ID          uint32 `json:"id"`
	Epoch       uint64 `json:"epoch"`
	Over        bool   `json:"over,omitempty"`
	Where       string `json:"where,omitempty"`
	Version     string `json:"version,omitempty"`
	Names       int    `json:"names"`
	Outstanding int    `json:"outstanding"`
	Announced   uint64 `json:"announced"` // as far as we know
	Lost        uint64 `json:"lost"`
}
