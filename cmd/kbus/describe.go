package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/message"
)

// kbus describe: what a Replier says of its name, if it says anything. The card is the bus's; what it says is the Replier's.

func describeCommand(l *line) *cobra.Command {
	asyncapi := false
	c := &cobra.Command{
		Use:   "describe NAME | --asyncapi [PATTERN]",
		Short: "tell what a Request of a name should say",
		Long: `describe prints the card that the Replier of a name has attached to it: a description,
the form of the data, and a schema. Where there is none it tells who would get a message
of that name, as kbus who does.

With --asyncapi it prints an AsyncAPI 3 document of all names that have a Replier, or
of those that PATTERN covers.`,
		Example: `kbus describe '$.Time'
kbus describe --asyncapi '$.Door.*'`,
		ValidArgsFunction: l.completeName(replierNames),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case asyncapi && len(args) <= 1:
				pattern := "$.*"
				if len(args) == 1 {
					pattern = args[0]
				}
				if c := message.CheckBinding(pattern); c != message.OK {
					return fmt.Errorf("%q: %w", pattern, c)
				}
				return l.observed(cmd, func(ctx context.Context, o *kbus.Observer) error { return asyncAPI(ctx, l, o, pattern) })
			case !asyncapi && len(args) == 1:
				return l.observed(cmd, func(ctx context.Context, o *kbus.Observer) error { return describeName(ctx, l, o, args[0]) })
			}
			return cli.Misused("it takes NAME, or --asyncapi and perhaps a pattern")
		},
	}
	c.Flags().BoolVar(&asyncapi, "asyncapi", false, "print an AsyncAPI document of what Repliers say of their names")
	return c
}

type jsonCard struct {
	Name    string          `json:"name"`
	Card    json.RawMessage `json:"card"`    // null when there is none
	Replier *jsonParty      `json:"replier"` // null when there is none, and of a wildcard
}

func describeName(ctx context.Context, l *line, o *kbus.Observer, name string) error {
	card, err := o.Card(ctx, name)
	if err != nil {
		return err
	}
	var replier kbus.Party
	var listeners []kbus.Party
	if message.CheckName(name) == message.OK {
		if replier, listeners, err = o.Who(ctx, name); err != nil {
			return err
		}
	}
	switch {
	case l.JSON:
		j := jsonCard{Name: name, Card: json.RawMessage("null"), Replier: whoJSON(name, replier, nil).Replier}
		if card != nil {
			j.Card = card.JSON()
		}
		return l.printJSON(j)
	case card == nil:
		return printWho(l, replier, listeners)
	}
	fmt.Fprintln(l.out, l.colours.paint(bold, name))
	indented(l.out, card.Description)
	if card.ContentType != "" {
		fmt.Fprintf(l.out, "  content type: %s\n", plain.Text(card.ContentType))
	}
	if card.Schema != "" {
		fmt.Fprintln(l.out, "  schema:")
		var lines bytes.Buffer
		if json.Indent(&lines, []byte(card.Schema), "  ", "  ") != nil {
			lines.Reset()
			lines.WriteString(card.Schema)
		}
		indented(l.out, "  "+lines.String())
	}
	return nil
}

// indented prints text of somebody else, line by line.
func indented(w io.Writer, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(w, "  %s\n", plain.Text(strings.TrimRight(line, "\n")))
	}
}

// cardFlag is a file with a card, for who answers.
type cardFlag struct{ file string }

func (f *cardFlag) register(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "card", "", "attach the card in that `FILE` to the name")
}

// cardError is a file that is no card.
type cardError struct{ text string }

func (e *cardError) Error() string { return e.text }
func (e *cardError) Unwrap() error { return syscall.EINVAL }

// read reads it, before anything is bound. What it gives attaches it.
func (f *cardFlag) read() (attach func(context.Context, *kbus.Ksock, string) error, err error) {
	if f.file == "" {
		return func(context.Context, *kbus.Ksock, string) error { return nil }, nil
	}
	text, err := os.ReadFile(f.file)
	if err != nil {
		return nil, err
	}
	card, err := kbus.ParseCard(text)
	var mistake *kbus.CardMistake
	switch {
	case errors.As(err, &mistake):
		return nil, &cardError{f.file + ":" + strings.ReplaceAll(err.Error(), "\n", "\n"+f.file+":")}
	case err != nil:
		return nil, err
	}
	return func(ctx context.Context, k *kbus.Ksock, name string) error { return kbus.Describe(ctx, k, name, card) }, nil
}
