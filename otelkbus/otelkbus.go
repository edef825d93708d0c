// Package otelkbus makes OpenTelemetry spans of what a program does with a Ksock, and has them belong together across programs: a message
// carries the trace context of the span that has sent it.
//
//	traced := otelkbus.New(nil)                                  // the global TracerProvider
//	reply, err := traced.Call(ctx, ks, kbus.Request("$.Lamp.Set", "on"))
//	err = ks.Serve(ctx, traced.Handler(handle))
//
// It is a module of its own: package kbus knows nothing of OpenTelemetry. A trace context that OpenTelemetry does not understand, of a
// later version for instance, begins a new trace here, but is not lost: a Reply has that of its Request then.
package otelkbus

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"kbus.example/kbus"
)

// scope is the name under which spans are made.
const scope = "kbus.example/kbus/otelkbus"

// Tracer makes spans. It is for any number of goroutines and Ksocks.
type Tracer struct {
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
}

// New makes a Tracer; nil is for the global TracerProvider. What travels is the W3C's trace context, whatever the global propagator is:
// a message can carry nothing else.
func New(provider trace.TracerProvider) *Tracer {
	if provider == nil {
		provider = otel.GetTracerProvider()
	}
	return &Tracer{tracer: provider.Tracer(scope), propagator: propagation.TraceContext{}}
}

// Ksock is what of a *kbus.Ksock is needed to send, call and receive.
type Ksock interface {
	Send(ctx context.Context, m *kbus.Message) (kbus.Sent, error)
	Call(ctx context.Context, m *kbus.Message) (*kbus.Message, error)
	Receive(ctx context.Context) (*kbus.Message, error)
}

// Send sends a message, in a span of its own that the message's receivers go on from.
func (t *Tracer) Send(ctx context.Context, k Ksock, m *kbus.Message) (kbus.Sent, error) {
	ctx, span := t.outgoing(ctx, "send", trace.SpanKindProducer, m)
	defer span.End()
	sent, err := k.Send(ctx, m)
	if err == nil {
		span.SetAttributes(attribute.Int64("kbus.reached", int64(sent.Reached)), attribute.Int64("kbus.skipped", int64(sent.Skipped)), messageID(sent.ID))
	}
	return sent, failed(span, err)
}

// Call sends a Request and waits for its Reply, in a span of its own that lasts until the Reply has come. A Status is an error of the
// span, as it is of the call.
func (t *Tracer) Call(ctx context.Context, k Ksock, m *kbus.Message) (*kbus.Message, error) {
	ctx, span := t.outgoing(ctx, "call", trace.SpanKindClient, m)
	defer span.End()
	reply, err := k.Call(ctx, m)
	if err == nil {
		span.SetAttributes(messageID(reply.InReplyTo))
	}
	return reply, failed(span, err)
}

// Inject has a message belong to the span of ctx, for a program that sends it by itself. Without a span it keeps what it has.
func (t *Tracer) Inject(ctx context.Context, m *kbus.Message) {
	if trace.SpanContextFromContext(ctx).IsValid() {
		m.Trace = nil // a tracestate of another span must not stay
		t.propagator.Inject(ctx, Carrier{m})
	}
}

// Extract gives a ctx in which the span that has sent the message is the parent of those to come.
func (t *Tracer) Extract(ctx context.Context, m *kbus.Message) context.Context {
	return t.propagator.Extract(ctx, Carrier{m})
}

// Handler is a kbus.Handler for Serve that has each message handled in a span of its own. The ctx of the handler has that span; the Reply
// that it gives belongs to it.
func (t *Tracer) Handler(handle kbus.Handler) kbus.Handler {
	return func(ctx context.Context, m *kbus.Message) (*kbus.Message, error) {
		ctx, span := t.incoming(ctx, "process", kindOf(m), m)
		defer span.End()
		reply, err := handle(ctx, m)
		if reply != nil && t.understands(m) {
			t.Inject(ctx, reply)
		}
		if err == kbus.ReplyLater { //nolint:errorlint // it is an answer, and not wrapped
			return reply, err
		}
		return reply, failed(span, err)
	}
}

// understands reports whether nothing is lost when a trace context of ours takes the place of the one that a message has.
func (t *Tracer) understands(m *kbus.Message) bool {
	return m.Trace.Empty() || trace.SpanContextFromContext(t.Extract(context.Background(), m)).IsValid()
}

// Receive receives a message and begins a span for what is done with it: the ctx that it gives has the span, and end ends it, with the
// error that came of it, or nil. Without a message there is no span, and end does nothing.
func (t *Tracer) Receive(ctx context.Context, k Ksock) (in context.Context, m *kbus.Message, end func(error), err error) {
	if m, err = k.Receive(ctx); err != nil {
		return ctx, nil, func(error) {}, err
	}
	in, span := t.incoming(ctx, "process", kindOf(m), m)
	return in, m, func(came error) {
		_ = failed(span, came)
		span.End()
	}, nil
}

func (t *Tracer) outgoing(ctx context.Context, what string, kind trace.SpanKind, m *kbus.Message) (context.Context, trace.Span) {
	ctx, span := t.tracer.Start(ctx, what+" "+m.Name, trace.WithSpanKind(kind), trace.WithAttributes(about(what, m)...))
	t.Inject(ctx, m)
	return ctx, span
}

func (t *Tracer) incoming(ctx context.Context, what string, kind trace.SpanKind, m *kbus.Message) (context.Context, trace.Span) {
	attributes := append(about(what, m), messageID(m.ID))
	return t.tracer.Start(t.Extract(ctx, m), what+" "+m.Name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
}

// kindOf tells who serves from who listens.
func kindOf(m *kbus.Message) trace.SpanKind {
	if m.WantsUsToReply() {
		return trace.SpanKindServer
	}
	return trace.SpanKindConsumer
}

// about is what is said of a message, in the words that OpenTelemetry has for messaging.
func about(what string, m *kbus.Message) []attribute.KeyValue {
	operation := what
	if what == "call" {
		operation = "send"
	}
	return []attribute.KeyValue{
		attribute.String("messaging.system", "kbus"),
		attribute.String("messaging.operation.name", what),
		attribute.String("messaging.operation.type", operation),
		attribute.String("messaging.destination.name", m.Name),
		attribute.Int("messaging.message.body.size", len(m.Data)),
		attribute.String("kbus.kind", m.Kind().String()),
	}
}

func messageID(id kbus.ID) attribute.KeyValue {
	return attribute.String("messaging.message.id", id.String())
}

// failed notes an error in a span, and gives it.
func failed(span trace.Span, err error) error {
	if err == nil {
		return nil
	}
	span.SetStatus(codes.Error, err.Error())
	var status *kbus.StatusError
	var condition kbus.Condition
	switch {
	case errors.As(err, &status):
		span.SetAttributes(attribute.String("error.type", status.Status.Name))
	case errors.As(err, &condition):
		span.SetAttributes(attribute.String("error.type", condition.Name()))
	}
	return err
}
