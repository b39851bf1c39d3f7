package keeper

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// channelEnv tells a process on which descriptor its keeper, or who starts it as
// a keeper, talks to it.
const channelEnv = "DEPLOYFS_CHANNEL_FD"

// Server is the keeper as its server sees it. Its methods may be called at the
// same time.
type Server struct {
	Start

	ch      *channel
	proceed chan Start    // what kindGo brings
	gone    chan struct{} // closed when the keeper is gone
	orders  chan message  // kindStop and kindAsk; closed then, too
	mu      sync.Mutex    // held while an answer is awaited
	answers chan message
}

// Start is what a server begins with.
type Start struct {
	Config  []byte
	Session []byte              // nil for the first server of a mount
	Files   map[string]*os.File // that are kept, by name
	Waits   bool                // another server still answers: see [Server.TakeOver]
}

// Orders is who obeys the keeper.
type Orders interface {
	// Status is the JSON form of all that is known of the mount.
	Status(Counts) any
	// Stop ends the process after its last answer.
	Stop()
	// Alone is called when the keeper is gone.
	Alone()
}

var (
	errVersion = errors.New("the mount's state is of another version")
	errGone    = errors.New("the keeper is gone")
)

// Connect is for a process that a keeper has started as a server which speaks
// this version of the state.
func Connect(version int) (*Server, error) {
	ch, err := inherited()
	if err != nil {
		return nil, err
	}
	m, err := ch.receive()
	if err != nil {
		return nil, fmt.Errorf("keeper: %w", err)
	}
	files, err := m.named()
	if err == nil && m.Version != version {
		err = &Failure{
			Text:   fmt.Sprintf("%v: this program speaks %d, it has %d", errVersion, version, m.Version),
			Remedy: "unmount it and mount it again with this program",
		}
	}
	if err != nil {
		ch.send(failed(err))
		return nil, err
	}
	if m.OOM != "" {
		os.WriteFile(oomFile, []byte(m.OOM), 0) // it is its own, after all
	}
	s := &Server{
		Start: Start{m.Config, m.Session, files, m.Waits}, ch: ch,
		proceed: make(chan Start, 1), gone: make(chan struct{}), orders: make(chan message, 16), answers: make(chan message, 1),
	}
	go s.listen()
	return s, nil
}

// inherited is the channel that this process was started with.
func inherited() (*channel, error) {
	fd, err := strconv.Atoi(os.Getenv(channelEnv))
	if err != nil {
		return nil, &Failure{Text: "only deployfs itself runs this", Remedy: "mount with `deployfs mount`"}
	}
	unix.CloseOnExec(fd)
	return newEnd(fd), os.Unsetenv(channelEnv)
}

func (s *Server) listen() {
	defer close(s.answers)
	defer close(s.orders)
	defer close(s.gone)
	for {
		m, err := s.ch.receive()
		if err != nil {
			return
		}
		switch m.Kind {
		case kindGo:
			if files, err := m.named(); err == nil {
				select {
				case s.proceed <- Start{m.Config, m.Session, files, false}:
				default: // it was said already
				}
			}
		case kindRegistered:
			s.answers <- m
		case kindStop, kindAsk:
			s.orders <- m
		default:
			m.closeFiles()
		}
	}
}

// Keep has the keeper hold a file, instead of what it held under that name.
func (s *Server) Keep(name string, file *os.File) error {
	return s.ch.send(message{Kind: kindKeep, Names: []string{name}, files: []*os.File{file}})
}

// Save has the keeper remember what the next server has to know. Where the mount
// is counts until [Server.Ready], and so does whether no other server could take
// over.
func (s *Server) Save(session []byte, place Place, mortal bool) error {
	return s.ch.send(message{Kind: kindSession, Session: session, Place: &place, Mortal: mortal})
}

// TakeOver tells that everything is prepared, and returns when no other server
// answers. The session and the files are then what that one has left.
func (s *Server) TakeOver() error {
	if err := s.ch.send(message{Kind: kindPrepared}); err != nil {
		return err
	}
	select {
	case s.Start = <-s.proceed:
		return nil
	case <-s.gone:
	}
	select {
	case s.Start = <-s.proceed: // the keeper's last word
		return nil
	default:
		return errGone
	}
}

// Ready tells that the tree can be used.
func (s *Server) Ready() error { return s.ch.send(message{Kind: kindReady}) }

// Fail tells why this server ends.
func (s *Server) Fail(err error) error { return s.ch.send(failed(err)) }

// End asks for the mount to be taken away.
func (s *Server) End() error { return s.ch.send(message{Kind: kindEnd}) }

// Log has the keeper write a line to its log.
func (s *Server) Log(line string) error { return s.ch.send(message{Kind: kindLog, Error: line}) }

// Register gives a file to the kernel.
func (s *Server) Register(fd int) (number int32, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	file, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return 0, os.NewSyscallError("dup", err)
	}
	f := os.NewFile(uintptr(file), "backing")
	defer f.Close()
	if err := s.ch.send(message{Kind: kindRegister, files: []*os.File{f}}); err != nil {
		return 0, err
	}
	m, ok := <-s.answers
	switch {
	case !ok:
		return 0, errGone
	case m.Errno != 0:
		return 0, fmt.Errorf("registering a backing file: %w", unix.Errno(m.Errno))
	}
	return m.Number, nil
}

// Unregister takes a file back from the kernel.
func (s *Server) Unregister(number int32) { s.ch.send(message{Kind: kindUnregister, Number: number}) }

// Obey does what the keeper orders until it is gone.
func (s *Server) Obey(o Orders) {
	for m := range s.orders {
		switch {
		case m.Kind == kindStop:
			o.Stop()
		case len(m.files) == 1 && m.Counts != nil:
			(newEnd(int(m.files[0].Fd()))).answer(o.Status(*m.Counts))
		}
		m.closeFiles()
	}
	o.Alone()
}

// AnswerAlone answers questions about the mount in the place of a keeper that is
// gone, until the process ends.
func (s *Server) AnswerAlone(o Orders) {
	listener := s.Files[controlName]
	if listener == nil {
		return
	}
	for {
		conn, err := accept(listener)
		if err != nil {
			time.Sleep(firstPause) // out of descriptors, perhaps
			continue
		}
		m, err := conn.receive()
		switch {
		case err != nil:
		case m.Kind == kindAsk:
			conn.answer(o.Status(Counts{}))
		default:
			conn.send(failed(&Failure{Text: "the mount's keeper is gone", Remedy: "unmount it and mount it again"}))
		}
		m.closeFiles()
		conn.close()
	}
}
