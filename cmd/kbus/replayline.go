package main

import (
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"kbus.example/kbus"
	"kbus.example/kbus/cmd/internal/cli"
	"kbus.example/kbus/internal/plain"
	"kbus.example/kbus/internal/recording/replay"
)

// What kbus replay prints while it goes on: messages that would be sent, refusals, and answers that are different.

func (p *replaying) printSends(at time.Duration, m *kbus.Message) error {
	if p.JSON {
		return cli.WriteJSON(p.text, struct {
			Happened string  `json:"happened"`
			At       float64 `json:"at"` // seconds since the beginning
			*jsonMessage
		}{"sends", at.Seconds(), messageJSON(m)})
	}
	shown := harmless(*m)
	_, err := fmt.Fprintf(p.text, "%s %s\n", p.colours.paint(dim, fmt.Sprintf("+%.6fs", at.Seconds())), p.colourful(legible(&shown)))
	return err
}

func (p *replaying) printRefused(m *kbus.Message, reason error) error {
	if p.JSON {
		return cli.WriteJSON(p.text, struct {
			Happened string `json:"happened"`
			*jsonMessage
			Failure cli.Failure `json:"failure"`
		}{"refused", messageJSON(m), failureOf(reason)})
	}
	shown := harmless(*m)
	_, err := fmt.Fprintf(p.text, "%s %s\n", p.colourful(legible(&shown)), p.colours.paint(red, "refused: "+reasonOf(reason)))
	return err
}

// reasonOf is the condition alone: the name stands beside it.
func reasonOf(err error) string {
	if c := conditionOf(err); c != 0 {
		return c.Error()
	}
	return err.Error()
}

func failureOf(err error) cli.Failure {
	f := cli.NewFailure(reasonOf(err), errnoOf(err))
	if c := conditionOf(err); c != 0 {
		f.Condition = c.Name()
	}
	return f
}

// jsonAnswer is an answer, or why there was none.
type jsonAnswer struct {
	Status     string       `json:"status,omitempty"`
	Data       *string      `json:"data,omitempty"`
	DataBase64 []byte       `json:"data_base64,omitempty"`
	Failure    *cli.Failure `json:"failure,omitempty"`
}

func answerJSON(a replay.Answer) (j jsonAnswer) {
	text := string(a.Data)
	switch {
	case a.Err != nil:
		f := failureOf(a.Err)
		j.Failure = &f
	case a.Status != "":
		j.Status = a.Status
	case utf8.Valid(a.Data):
		j.Data = &text
	default:
		j.DataBase64 = a.Data
	}
	return j
}

func answerText(a replay.Answer) string {
	switch {
	case a.Err != nil:
		return reasonOf(a.Err)
	case a.Status != "":
		return "the Status " + plain.Text(a.Status)
	}
	return legibleData(a.Data)
}

func (p *replaying) printDifference(d replay.Difference) error {
	if p.JSON {
		return cli.WriteJSON(p.text, struct {
			Happened string     `json:"happened"`
			Serial   uint64     `json:"serial"`
			Name     string     `json:"name"`
			ID       string     `json:"id"`
			Recorded jsonAnswer `json:"recorded"`
			Now      jsonAnswer `json:"now"`
		}{"differs", d.Serial, d.Name, plainID(d.ID), answerJSON(d.Then), answerJSON(d.Now)})
	}
	_, err := fmt.Fprintf(p.text, "%s %s %v: recorded %s, now %s\n", p.colours.paint(red, "differs"), plain.Text(d.Name), d.ID, answerText(d.Then), answerText(d.Now))
	return err
}

// conditionOf is the condition that an error stands for, 0 if there is none.
func conditionOf(err error) (c kbus.Condition) {
	errors.As(err, &c)
	return c
}
