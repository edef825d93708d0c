package federation

import (
	"context"
	"errors"
	"testing"

	"kbus.example/kbus/limpet/federation/leasekeeper"
)

// A Reply that was not passed on because nobody vouched for the bowl is lost, and a lease that is refreshed a moment later must not
// hide that: the session ends, and with it all that others wait for.
func TestNotVouchedForOnce(t *testing.T) {
	s := (&Member{}).newSession(t.Context(), nil, nil)
	s.keeper = leasekeeper.New(leasekeeper.Config{}) // with a lease that is not there any more
	if s.vouches() || !errors.Is(context.Cause(s.life.ctx), errFenced) {
		t.Errorf("the session goes on: %v", context.Cause(s.life.ctx))
	}
	s = (&Member{Config: Config{Available: true}}).newSession(t.Context(), nil, nil)
	if !s.vouches() || s.life.ctx.Err() != nil {
		t.Error("a bowl that keeps its Repliers needs nobody who vouches")
	}
}
