// A program outside KBUS's own module. It asks itself a question on the bus of a running daemon.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	"kbus"
)

func main() {
	if err := ask(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func ask(ctx context.Context) error {
	replier, err := kbus.Open(0)
	if err != nil {
		return err
	}
	defer replier.Close()
	asker, err := kbus.Open(0)
	if err != nil {
		return err
	}
	defer asker.Close()

	if _, err := asker.Call(ctx, kbus.Request("$.Outside", "")); !errors.Is(err, syscall.EADDRNOTAVAIL) {
		return fmt.Errorf("asked when there was no Replier: %w", err)
	}
	if err := replier.Bind("$.Outside", kbus.Replier); err != nil {
		return err
	}
	go replier.Serve(ctx, func(_ context.Context, m *kbus.Message) (*kbus.Message, error) {
		return kbus.ReplyTo(m, "hello, "+string(m.Data))
	})
	reply, err := asker.Call(ctx, kbus.Request("$.Outside", "from outside"))
	if err != nil {
		return err
	}
	fmt.Println(reply)
	return nil
}
