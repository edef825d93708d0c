package otelkbus

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"kbus.example/kbus"
	"kbus.example/kbus/internal/testing/programs"
)

// TestMain builds kbusd, in its own module.
func TestMain(m *testing.M) {
	if err := os.Chdir(".."); err != nil {
		panic(err)
	}
	os.Exit(programs.Main(m, nil, "kbusd"))
}

// daemon starts a kbusd of its own, and ends it with the test.
func daemon(t *testing.T) (open func() *kbus.Ksock) {
	dir, err := os.MkdirTemp("", "kbus")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	ready, err := programs.NewReady(dir)
	must(t, err)
	defer ready.Close()
	c := exec.Command("kbusd", "--dir", dir, "--log-level", "error")
	c.Env, c.Stderr = append(os.Environ(), ready.Variable()), os.Stderr
	must(t, c.Start())
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	must(t, ready.Await(0))
	return func() *kbus.Ksock {
		k, err := kbus.Open(t.Context(), 0, kbus.Dir(dir))
		must(t, err)
		t.Cleanup(func() { k.Close() })
		return k
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// program is one that traces: it has an exporter of its own, as if it were another process.
type program struct {
	*Tracer
	provider *sdk.TracerProvider
	spans    *tracetest.InMemoryExporter
}

func newProgram(t *testing.T) program {
	spans := tracetest.NewInMemoryExporter()
	provider := sdk.NewTracerProvider(sdk.WithSyncer(spans))
	t.Cleanup(func() { _ = provider.Shutdown(context.Background()) })
	return program{New(provider), provider, spans}
}

// span is the one of that name that a program has ended.
func (p program) span(t *testing.T, name string) tracetest.SpanStub {
	t.Helper()
	spans := p.spans.GetSpans()
	i := slices.IndexFunc(spans, func(s tracetest.SpanStub) bool { return s.Name == name })
	if i < 0 {
		t.Fatalf("there is no span %q among %d", name, len(spans))
	}
	return spans[i]
}

func follows(t *testing.T, s, parent tracetest.SpanStub) {
	t.Helper()
	if s.Parent.SpanID() != parent.SpanContext.SpanID() || s.SpanContext.TraceID() != parent.SpanContext.TraceID() || !s.Parent.IsRemote() {
		t.Errorf("%s does not follow from %s: its parent is %v, %v", s.Name, parent.Name, s.Parent.SpanID(), s.Parent.TraceID())
	}
}

// Somebody asks, the Replier announces what it does and replies, and a third hears it: that is one trace, through a real daemon.
func TestOneTrace(t *testing.T) {
	open := daemon(t)
	caller, replier, listener := newProgram(t), newProgram(t), newProgram(t)
	asks, answers, hears := open(), open(), open()
	must(t, answers.Bind(t.Context(), "$.Lamp.Set", kbus.Replier))
	must(t, hears.Bind(t.Context(), "$.Lamp.State", kbus.Listener))
	serving, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- answers.Serve(serving, replier.Handler(func(ctx context.Context, m *kbus.Message) (*kbus.Message, error) {
			if _, err := replier.Send(ctx, answers, kbus.Announcement("$.Lamp.State", m.Data)); err != nil {
				return nil, err
			}
			return m.Reply([]byte("done"))
		}))
	}()
	ctx, root := caller.provider.Tracer("test").Start(t.Context(), "button")
	reply, err := caller.Call(ctx, asks, kbus.Request("$.Lamp.Set", "on"))
	must(t, err)
	root.End()
	_, m, end, err := listener.Receive(t.Context(), hears)
	must(t, err)
	end(nil)
	stop()
	<-served

	called, processed := caller.span(t, "call $.Lamp.Set"), replier.span(t, "process $.Lamp.Set")
	announced, heard := replier.span(t, "send $.Lamp.State"), listener.span(t, "process $.Lamp.State")
	if button := caller.span(t, "button"); called.Parent.SpanID() != button.SpanContext.SpanID() {
		t.Error("the call is no part of what it was made for")
	}
	follows(t, processed, called)
	follows(t, heard, announced)
	if announced.Parent.SpanID() != processed.SpanContext.SpanID() {
		t.Error("the Announcement is no part of what was processed")
	}
	id := root.SpanContext().TraceID().String()
	if reply.Trace.TraceID() != id || m.Trace.TraceID() != id {
		t.Errorf("the messages are of %v and %v, and the trace is %s", reply.Trace, m.Trace, id)
	}
	for s, kind := range map[*tracetest.SpanStub]trace.SpanKind{
		&called: trace.SpanKindClient, &processed: trace.SpanKindServer, &announced: trace.SpanKindProducer, &heard: trace.SpanKindConsumer,
	} {
		if s.SpanKind != kind || s.Status.Code == codes.Error {
			t.Errorf("%s is %v, %v", s.Name, s.SpanKind, s.Status)
		}
	}
}

// A Status is an error of the span, which says which; so are a handler's error and a refusal.
func TestErrors(t *testing.T) {
	open := daemon(t)
	p := newProgram(t)
	asks, answers := open(), open()
	if _, err := p.Call(t.Context(), asks, kbus.Request("$.Nobody", "")); !errors.Is(err, kbus.ErrNoReplier) {
		t.Error(err)
	}
	must(t, answers.Bind(t.Context(), "$.R", kbus.Replier))
	serving, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() {
		served <- answers.Serve(serving, p.Handler(func(context.Context, *kbus.Message) (*kbus.Message, error) {
			return nil, errors.New("it is broken")
		}), kbus.OnError(func(*kbus.Message, error) {}))
	}()
	if _, err := p.Call(t.Context(), asks, kbus.Request("$.R", "")); err == nil {
		t.Error("no error")
	}
	stop()
	<-served
	for name, kind := range map[string]string{"call $.Nobody": "ErrNoReplier", "call $.R": "$.KBUS.Replier.Failed", "process $.R": ""} {
		s := p.span(t, name)
		said := ""
		for _, a := range s.Attributes {
			if a.Key == "error.type" {
				said = a.Value.AsString()
			}
		}
		if s.Status.Code != codes.Error || said != kind {
			t.Errorf("%s: %v, error.type %q", name, s.Status, said)
		}
	}
}

// What OpenTelemetry does not understand is not lost: the Reply has what the Request had. And a value that is too long for a message
// is left out.
func TestForeign(t *testing.T) {
	p, bus := newProgram(t), kbus.NewBus()
	defer bus.Close()
	asks, err := bus.Open(t.Context())
	must(t, err)
	answers, err := bus.Open(t.Context())
	must(t, err)
	must(t, answers.Bind(t.Context(), "$.R", kbus.Replier))
	const foreign = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff"
	m := kbus.Request("$.R", "")
	m.Trace = &kbus.Trace{Parent: foreign, State: "a=b"}
	sent, err := asks.Send(t.Context(), m)
	must(t, err)
	request, err := answers.Receive(t.Context())
	must(t, err)
	reply, err := p.Handler(func(_ context.Context, m *kbus.Message) (*kbus.Message, error) { return m.Reply(nil) })(t.Context(), request)
	must(t, err)
	_, err = answers.Send(t.Context(), reply)
	must(t, err)
	reply, err = asks.NextReply(t.Context(), sent.ID)
	must(t, err)
	if *reply.Trace != *m.Trace {
		t.Errorf("the Reply has %v", reply.Trace)
	}
	c := Carrier{kbus.Announcement("$.A", "")}
	c.Set("traceparent", foreign)
	c.Set("tracestate", strings.Repeat("x", 513))
	c.Set("baggage", "a=b")
	if keys := c.Keys(); !slices.Equal(keys, []string{"traceparent"}) || c.Get("traceparent") != foreign {
		t.Errorf("it has %v, %v", keys, c.Message.Trace)
	}
}
