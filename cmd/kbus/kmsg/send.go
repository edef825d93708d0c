package kmsg

import (
	"context"
	"encoding/hex"
	"fmt"
	"io"

	"kbus.example/kbus"
)

// The commands of kmsg that send: what DATA becomes, what is sent, and what is printed until the answer.

// data makes the data of FMT and DATA.
func (k *kmsg) data(args []string) ([]byte, error) {
	form, text := args[0], ""
	if len(args) > 1 {
		text = args[1]
	}
	if form == "" {
		return nil, nil
	}
	switch form[0] {
	case 's':
		return []byte(text), nil
	case 'z':
		return append([]byte(text), 0), nil
	case 'h':
		b, err := hex.DecodeString(text)
		if err != nil {
			return nil, fmt.Errorf("bad data %q: h takes pairs of hexadecimal digits", text)
		}
		return b, nil
	case '-':
		return k.input()
	}
	return nil, nil
}

// mostData is more than any bus may be made to take.
const mostData = 1 << 30

func (k *kmsg) input() ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(k.in, mostData+1))
	if len(b) > mostData {
		return nil, fmt.Errorf("standard input has more than %d bytes", mostData)
	}
	return b, err
}

// send sends an Announcement, or a Request and then prints what comes until its answer.
func (k *kmsg) send(command, name string, data []byte) error {
	s, err := k.open(statusSendOpen)
	if err != nil {
		return err
	}
	defer s.Close()
	m := kbus.Announcement(name, data)
	if command == "call" {
		m = kbus.Request(name, data)
	}
	fmt.Fprintln(k.out, "Msg data:")
	for _, b := range data {
		fmt.Fprintf(k.out, "%02x ", b)
	}
	fmt.Fprintln(k.out)
	// The number always was the difference between the command and "send".
	fmt.Fprintf(k.out, "> Sending %s [want_reply? %d]\n", name, int(command[0])-'s')
	k.print(m)
	sent, err := s.Send(context.Background(), m)
	if err != nil {
		return failed(statusSendFailed, fmt.Errorf("cannot send: %w", err))
	}
	fmt.Fprintf(k.out, "> Sent message %d:%d .. \n", sent.ID.Network, sent.ID.Serial)
	if command == "call" {
		return k.await(s, sent.ID)
	}
	return nil
}

// await prints messages until one is in reply to ours.
func (k *kmsg) await(s *kbus.Ksock, ours kbus.ID) error {
	for {
		m, err := s.Receive(context.Background())
		if err != nil {
			return failed(statusWaitFailed, fmt.Errorf("cannot wait for the Reply: %w", err))
		}
		fmt.Fprintln(k.err, ">Reading message")
		k.print(m)
		if m.InReplyTo == ours {
			fmt.Fprintln(k.err, "> Got Reply!")
			return nil
		}
	}
}
