package otelkbus

import (
	"go.opentelemetry.io/otel/propagation"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// Carrier lets a propagator put a trace context into a message and take it out. A message carries two values, traceparent and tracestate,
// and whatever else a propagator has (baggage) is left out: that is data, and belongs into data.
type Carrier struct{ Message *kbus.Message }

var _ propagation.TextMapCarrier = Carrier{}

const (
	parentKey = "traceparent"
	stateKey  = "tracestate"
)

// Get gives one of the two values, or nothing.
func (c Carrier) Get(key string) string {
	t := c.Message.Trace
	switch {
	case t.Empty():
	case key == parentKey:
		return t.Parent
	case key == stateKey:
		return t.State
	}
	return ""
}

// Set sets one of the two values. One that is too long for a message is left out: to lose it is better than to have the message
// refused. The trace context that the message had may belong to another message too, and stays as it was.
func (c Carrier) Set(key, value string) {
	var t kbus.Trace
	if c.Message.Trace != nil {
		t = *c.Message.Trace
	}
	switch {
	case key == parentKey && len(value) <= message.MaxTraceParentBytes:
		t.Parent = value
	case key == stateKey && len(value) <= message.MaxTraceStateBytes:
		t.State = value
	default:
		return
	}
	c.Message.Trace = &t
}

// Keys are those of the values that the message has.
func (c Carrier) Keys() (keys []string) {
	for _, key := range [...]string{parentKey, stateKey} {
		if c.Get(key) != "" {
			keys = append(keys, key)
		}
	}
	return keys
}
