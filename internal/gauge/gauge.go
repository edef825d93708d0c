// Package gauge measures a message bus from outside, as its users meet it: how long a Request and its Reply take, how
// many messages a second get through to how many consumers, and what memory connections cost.
//
// Each client is a process of its own, because what a message costs is mostly what it takes to wake the next process.
// The program that measures starts itself again for each other client (see Child), and they meet in a page of shared
// memory: who is ready, and how many messages each consumer has. That page is outside of what is measured.
//
// What is measured is anything that can be put behind Client. Every message is numbered; one that is missing, doubled,
// out of order or of another size ends the measurement with an error. A figure from a bus that loses messages would be
// no figure.
package gauge

import "time"

// Role is what a client is for.
type Role uint8

// The roles.
const (
	Requester Role = iota // sends Requests, one at a time
	Replier               // answers them
	Producer              // sends messages for all consumers
	Consumer              // receives them
	Idler                 // is only connected
)

// Client is one process's way to the bus. An error from any method ends the measurement.
type Client interface {
	// Open connects. When it returns, whatever is sent from then on to a client of that role reaches this one.
	Open(Role, *Plan) error

	// Request sends data to the Replier and waits for the answer. The answer is valid until the next call.
	Request(data []byte) (answer []byte, err error)

	// Serve answers Requests with the data that they came with, for ever.
	Serve() error

	// Publish sends data to all consumers. It may collect messages until Flush, but keeps nothing of data itself.
	Publish(data []byte) error

	// Flush sends what Publish has collected.
	Flush() error

	// Consume hands the data of each message to take, in the order in which they came, until take returns false or
	// an error, which it returns.
	Consume(take func(data []byte) (more bool, err error)) error
}

// Plan is what to measure. Fields with a JSON name are for the child processes, too.
type Plan struct {
	Size      int `json:"size"`      // bytes of data in a message
	Count     int `json:"count"`     // round trips, or messages that the producer sends
	WarmUp    int `json:"warmUp"`    // as many more before the clock starts
	Consumers int `json:"consumers"` // 1 to MaxConsumers
	Window    int `json:"window"`    // how far the producer may be ahead of the slowest consumer, in messages
	Session   int `json:"session"`   // tells this measurement from others on the same bus

	Clients int                `json:"-"` // connections of Memory
	Brokers []int              `json:"-"` // processes of the bus, whose processor time and memory count
	Watch   func(done, of int) `json:"-"` // if not nil, is told how far it is, now and then
}

// MaxConsumers is how many consumers there can be.
const MaxConsumers = 256

// stall is how long nothing may happen before a measurement fails.
const stall = 20 * time.Second

// DefaultWarmUp is a tenth of the count; of round trips, 1000 at most.
func DefaultWarmUp(count int, roundTrips bool) int {
	if roundTrips {
		return min(count/10, 1000)
	}
	return count / 10
}

// DefaultWindow is 1000 messages, and 100 if they are larger than 4 KiB.
func DefaultWindow(size int) int {
	if size > 4<<10 {
		return 100
	}
	return 1000
}

// total is how many messages each consumer gets.
func (p *Plan) total() uint64 { return uint64(p.Count + p.WarmUp) }

// watch reports how far it is.
func (p *Plan) watch(done int) {
	if p.Watch != nil {
		p.Watch(max(done-p.WarmUp, 0), p.Count)
	}
}

// watchEvery is how many messages go by between two reports: a power of two.
const watchEvery = 256
