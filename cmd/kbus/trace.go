package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/message"
)

// Traces at the shell. What is sent belongs to the trace of the environment (TRACEPARENT, as OpenTelemetry has it for programs that
// start others), unless a flag names another; and a command that answers finds the trace of its Request there. So a trace goes
// through scripts that know nothing of it.

const (
	parentVariable = "TRACEPARENT"
	stateVariable  = "TRACESTATE"
)

// traceFlags name the trace of what is sent.
type traceFlags struct{ parent, state string }

func (f *traceFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.parent, "traceparent", "", "its W3C trace context, instead of $"+parentVariable+" (`T`: 00-...)")
	c.Flags().StringVar(&f.state, "tracestate", "", "`S` of that trace context, instead of $"+stateVariable)
	for _, flag := range []string{"traceparent", "tracestate"} {
		_ = c.RegisterFlagCompletionFunc(flag, cobra.NoFileCompletions)
	}
}

// trace is the trace context of what is sent, nil for none. What somebody has typed must be one; what is in the environment is left out
// if it is none.
func (f *traceFlags) trace() (*kbus.Trace, error) {
	t := &kbus.Trace{Parent: f.parent, State: f.state}
	switch {
	case f.parent == "" && f.state != "":
		return nil, cli.Misused("--tracestate goes with --traceparent")
	case f.parent == "":
		t.Parent, t.State = os.Getenv(parentVariable), os.Getenv(stateVariable)
		if message.TraceparentFault(t.Parent) != "" {
			return nil, nil
		}
		if len(t.State) > message.MaxTraceStateBytes {
			t.State = ""
		}
		return t, nil
	}
	if fault := message.TraceparentFault(f.parent); fault != "" {
		return nil, cli.Misused(fmt.Sprintf("%q is no traceparent: %s. It looks like %s", f.parent, fault, message.TraceparentForm))
	}
	if len(f.state) > message.MaxTraceStateBytes {
		return nil, cli.Misused(fmt.Sprintf("--tracestate has %d bytes; %d are the most that a message carries", len(f.state),
			message.MaxTraceStateBytes))
	}
	return t, nil
}

// environTraced is our environment, with the trace of that message in the place of our own.
func environTraced(m *kbus.Message) []string {
	environ := slices.DeleteFunc(os.Environ(), func(s string) bool {
		return strings.HasPrefix(s, parentVariable+"=") || strings.HasPrefix(s, stateVariable+"=")
	})
	if m.Trace.Empty() || strings.ContainsRune(m.Trace.Parent+m.Trace.State, 0) {
		return environ
	}
	environ = append(environ, parentVariable+"="+m.Trace.Parent)
	if m.Trace.State != "" {
		environ = append(environ, stateVariable+"="+m.Trace.State)
	}
	return environ
}

// parseTraceID reads the id of a trace, which may stand in a traceparent.
func parseTraceID(text string) (string, error) {
	id := text
	if !message.IsTraceID(id) {
		id = (&kbus.Trace{Parent: text}).TraceID()
	}
	if id == "" {
		return "", cli.Misused(fmt.Sprintf("%q is no id of a trace: that has 32 hexadecimal digits in lower case. A traceparent has one, too: %s",
			text, message.TraceparentForm))
	}
	return id, nil
}
