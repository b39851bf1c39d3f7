package keeper

import "errors"

// Failure is why a mount did not come to be, with the remedy where there is one.
type Failure struct {
	Text   string
	Remedy string
}

func (f *Failure) Error() string { return f.Text }

// Hint is the remedy, or "".
func (f *Failure) Hint() string { return f.Remedy }

// failed makes a message of an error.
func failed(err error) message {
	m := message{Kind: kindFailed, Error: err.Error()}
	var known interface{ Hint() string }
	if errors.As(err, &known) {
		m.Hint = known.Hint()
	}
	return m
}

// failure makes an error of a message.
func (m *message) failure() error { return &Failure{m.Error, m.Hint} }
