package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Reading by the protocol of JetStream itself: a message of a stream is had from its leader, in JSON, or from any
// replica, many at once.

// apiError is the answer of a server that does not do what it is asked.
type apiError struct {
	Code        int    `json:"err_code"`
	Description string `json:"description"`
}

func (e *apiError) Error() string { return e.Description }

func (s *stream) leaderGet(ctx context.Context, request string) (Entry, error) {
	var answer struct {
		Error   *apiError `json:"error"`
		Message struct {
			Subject  string `json:"subject"`
			Sequence uint64 `json:"seq"`
			Header   []byte `json:"hdrs"`
			Data     []byte `json:"data"`
		} `json:"message"`
	}
	if err := s.ask(ctx, "STREAM.MSG.GET."+s.name, request, &answer); err != nil {
		return Entry{}, err
	}
	if e := answer.Error; e != nil {
		if e.Code == codeNotFound {
			return Entry{}, ErrNone
		}
		return Entry{}, fmt.Errorf("%s: %w", s.name, e)
	}
	m := &answer.Message
	head, err := nats.DecodeHeadersMsg(m.Header)
	if len(m.Header) > 0 && err != nil {
		return Entry{}, err
	}
	return s.entry(m.Subject, m.Sequence, head, m.Data), nil
}

// entry makes one from a message of the stream.
func (s *stream) entry(subject string, sequence uint64, head nats.Header, data []byte) Entry {
	return Entry{
		Key: strings.TrimPrefix(subject, s.prefix), Value: data, Revision: sequence,
		Deleted: head.Get(operation) != "" || head.Get("Nats-Marker-Reason") != "",
	}
}

// info is the leader's answer about the stream.
type info struct {
	Error   *apiError `json:"error"`
	Created time.Time `json:"created"`
	State   struct {
		First uint64 `json:"first_seq"`
		Last  uint64 `json:"last_seq"`
	} `json:"state"`
	Cluster struct {
		Name   string `json:"name"`
		Leader string `json:"leader"`
	} `json:"cluster"`
}

func (s *stream) info(ctx context.Context) (i info, err error) {
	if err := s.ask(ctx, "STREAM.INFO."+s.name, "", &i); err != nil {
		return i, err
	}
	if i.Error != nil {
		return i, fmt.Errorf("%s: %w", s.name, i.Error)
	}
	return i, nil
}

// last asks the leader how far the stream is.
func (s *stream) last(ctx context.Context) (uint64, error) {
	i, err := s.info(ctx)
	return i.State.Last, err
}

// lastAnywhere asks any replica. An empty stream is at 0.
func (s *stream) lastAnywhere(ctx context.Context) (uint64, error) {
	ctx, cancel := patient(ctx)
	defer cancel()
	m, err := s.nc.RequestWithContext(ctx, s.nc.api("DIRECT.GET."+s.name), []byte(`{"last_by_subj":">"}`))
	if err != nil {
		return 0, err
	}
	e, _ := s.stored(m)
	return e.Revision, nil
}

func (s *stream) ask(ctx context.Context, subject, request string, answer any) error {
	ctx, cancel := patient(ctx)
	defer cancel()
	subject = s.nc.api(subject)
	m, err := s.nc.RequestWithContext(ctx, subject, []byte(request))
	if err != nil {
		return fmt.Errorf("asking %s: %w", subject, s.nc.explain(err))
	}
	return json.Unmarshal(m.Data, answer)
}

// What is asked for at once at most.
const (
	batch      = 500
	batchBytes = 8 << 20
	mostKeys   = 1024
)

// after has any replica give what the stream has from a number on, in order, so many or a batch at most. None come if
// that replica has none, which may be because it lags behind.
func (s *stream) after(ctx context.Context, from, n uint64, each func(Entry)) error {
	return s.gather(ctx, fmt.Sprintf(`{"seq":%d,"batch":%d,"max_bytes":%d,"next_by_subj":">"}`, from, min(n, batch), batchBytes),
		each)
}

// gather reads the many answers to one request, as long as they come.
func (s *stream) gather(ctx context.Context, request string, each func(Entry)) error {
	inbox := s.nc.NewRespInbox()
	answers := make(chan *nats.Msg, max(batch, mostKeys)+1) // and one that says that it is the last
	sub, err := s.nc.ChanSubscribe(inbox, answers)
	if err != nil {
		return err
	}
	defer sub.Unsubscribe()
	if err := s.nc.PublishRequest(s.nc.api("DIRECT.GET."+s.name), inbox, []byte(request)); err != nil {
		return err
	}
	silence := time.NewTimer(Patience)
	defer silence.Stop()
	for {
		var m *nats.Msg
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-silence.C:
			return fmt.Errorf("reading %s: %w", s.name, context.DeadlineExceeded)
		case m = <-answers:
			silence.Reset(Patience)
		}
		switch status := m.Header.Get("Status"); status {
		case "":
		case "204", "404": // the end
			return nil
		default:
			return fmt.Errorf("reading %s: %s %s", s.name, status, m.Header.Get("Description"))
		}
		if e, ok := s.stored(m); ok {
			each(e)
		}
	}
}

// stored reads a message that carries where in the stream it stands: one that was published again, or got.
func (s *stream) stored(m *nats.Msg) (Entry, bool) {
	n, err := strconv.ParseUint(m.Header.Get("Nats-Sequence"), 10, 64)
	return s.entry(m.Header.Get("Nats-Subject"), n, m.Header, m.Data), err == nil
}

// nextFrom asks for the first message from a number on.
func nextFrom(n uint64) string { return fmt.Sprintf(`{"seq":%d,"next_by_subj":">"}`, n) }
