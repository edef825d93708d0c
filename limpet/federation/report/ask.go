package report

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"

	"kbus.example/kbus"
)

// Ask asks the Limpet of the bus that the Ksock is on. It fails as Call does, with ErrNoReplier if the bus is in no
// federation, and if the answer is not that of a Limpet. The whole answer is as it came: a Limpet of another version
// may report more than Status has.
func Ask(ctx context.Context, k *kbus.Ksock) (s Status, whole json.RawMessage, err error) {
	reply, err := k.Call(ctx, kbus.Request(Name, ""))
	if err != nil {
		return s, nil, err
	}
	if s, err = parse(reply.Data); err != nil {
		return s, nil, fmt.Errorf("the answer is not that of a Limpet: %w", err)
	}
	return s, reply.Data, nil
}

// parse takes nothing for a Status that names no member. Any client may bind the name.
func parse(data []byte) (s Status, err error) {
	if !utf8.Valid(data) {
		return s, errors.New("it is no text")
	}
	err = json.Unmarshal(data, &s)
	if err == nil && (s.Federation == "" || s.ID == 0) {
		err = errors.New("it names no bowl of a federation")
	}
	return s, err
}

// Answer is the Reply to a Request for it.
func (s *Status) Answer(request *kbus.Message) (*kbus.Message, error) {
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	reply, err := request.Reply(data)
	if err != nil {
		return nil, err
	}
	reply.Name = "$.Federation.Status" // an answer whose name begins with $.KBUS would be taken for a Status (R1.14)
	return reply, nil
}
