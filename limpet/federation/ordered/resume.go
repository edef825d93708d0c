package ordered

import (
	"context"
	"fmt"

	"kbus.example/kbus/limpet/federation/envelope"
	"kbus.example/kbus/limpet/federation/store"
)

// Where an outlet begins. The answer of one server alone is not believed, for it may be parted from the others: an outlet
// that begins too early would deliver messages twice.

// doubtTries is how often a server is asked that seems to be behind the others, until we believe it.
const doubtTries = 10

// begin finds out where to begin.
func (out *outlet) begin(ctx context.Context, stream *store.Stream) error {
	tries := 0
	return out.insist(ctx, "the stream does not say yet where it is", func(ctx context.Context) error {
		state, err := stream.State(ctx)
		if err != nil {
			return err
		}
		tries++
		left, known := out.bookmark.read()
		resumed := known && left.incarnation == out.incarnation && left.stream == state.Created.UnixNano()
		if resumed && left.entry > state.Last {
			if tries < doubtTries {
				return fmt.Errorf("it ends with entry %d, and the outlet has had %d", state.Last, left.entry)
			}
			resumed = false
			out.Log.Error("the stream has lost entries that the outlet has had; its order is not that of the rest any more",
				"last", state.Last, "had", left.entry)
		}
		if !resumed {
			left = checkpoint{incarnation: out.incarnation, stream: state.Created.UnixNano(), entry: state.Last}
		}
		if err := out.recall(ctx, stream, state, left.entry); err != nil {
			if tries < doubtTries {
				return err
			}
			out.Log.Warn("what the stream may have twice cannot be told from what is new", "why", err)
		}
		out.checkpoint, out.doubtful = left, resumed
		out.reached(left.entry, left.messages)
		out.Log.Info("ordered from here", "federation", out.Federation, "id", out.ID, "epoch", out.keeper.Epoch(),
			"sequence", left.entry+1, "resumed", resumed)
		return nil
	})
}

// recall learns from the stream how far each member had come with its entry of that number. Which server answers is not
// known, so its answer counts only if it has that entry.
func (out *outlet) recall(ctx context.Context, stream *store.Stream, state store.State, upTo uint64) error {
	if upTo == 0 || upTo < state.First {
		return nil // there is nothing, or nothing any more
	}
	found := false
	err := stream.Latest(ctx, upTo, func(e store.Entry) {
		found = found || e.Revision == upTo
		_ = out.open(e, func(e *envelope.Envelope) error { // what is no batch was none before
			out.advance(e)
			return nil
		})
	})
	if err == nil && !found {
		err = fmt.Errorf("a server has no entry %d yet", upTo)
	}
	return err
}
