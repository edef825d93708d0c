package rules

import (
	"bufio"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"kbus.example/kbus"
	"kbus.example/kbus/message"
)

// The driver of the Go library is this test binary: as much of one as the matrix needs.

func TestMain(m *testing.M) {
	if os.Getenv("KBUS_RULES_ROLE") == "go" {
		serveGo()
		return
	}
	os.Exit(m.Run())
}

func serveGo() {
	ctx := context.Background()
	ksocks := map[string]*kbus.Ksock{}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		words := append(strings.Split(lines.Text(), " "), "", "", "")
		text, _ := hex.DecodeString(words[2])
		k := ksocks[words[1]]
		var err error
		more := ""
		switch words[0] {
		case "open":
			ksocks[words[1]], err = kbus.Open(ctx, 0)
		case "close":
			if k != nil {
				err = k.Close()
			}
		case "bind":
			role := kbus.Listener
			if words[3] == "1" {
				role = kbus.Replier
			}
			err = k.Bind(ctx, string(text), role)
		case "sendmessage":
			h, name, data, c := message.ParseEntire(text, uint32(len(text)))
			if err = c.Err(); err == nil {
				_, err = k.Send(ctx, &kbus.Message{Header: h, Name: string(name), Data: data})
			}
		case "receive":
			var m *kbus.Message
			if m, err = k.Next(ctx); err == nil && m != nil {
				more = " 1 " + hex.EncodeToString(message.AppendEntire(nil, &m.Header, []byte(m.Name), m.Data))
			} else {
				more = " 0 -"
			}
		case "value":
			_, err = k.Settings().AddBus(ctx)
		}
		var number syscall.Errno
		var condition kbus.Condition
		switch {
		case errors.As(err, &condition):
			number = condition.Errno()
		case err != nil && !errors.As(err, &number):
			number = syscall.EPROTO
			fmt.Fprintln(os.Stderr, words[0], err)
		}
		fmt.Printf("%d%s\n", number, more)
	}
}
