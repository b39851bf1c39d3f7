package keeper

import (
	"fmt"
	"os"
	"time"
)

const (
	stopTime    = 5 * time.Second  // for a server's last answers
	prepareTime = 60 * time.Second // for a new server
)

// upgrade starts a new program's server beside the one that answers.
func (k *keeper) upgrade(conn *channel, program *os.File) {
	refuse := func(why error) {
		conn.send(failed(why))
		conn.close()
		program.Close()
	}
	if k.server == nil && k.gone || !k.deadline.IsZero() || k.heir != nil || k.tell != nil {
		refuse(&Failure{Text: "the mount is beginning, ending, or being upgraded", Remedy: "try again"})
		return
	}
	heir, err := k.spawn(fmt.Sprintf("/proc/self/fd/%d", program.Fd()), true)
	if err != nil {
		refuse(err)
		return
	}
	heir.until = time.Now().Add(prepareTime)
	k.heir, k.upgrader, k.program = heir, conn, program
}

// refuse ends an upgrade that can't be done; the old server goes on.
func (k *keeper) refuse(why error) {
	if k.heir != nil {
		k.heir.process.Kill()
		k.heir.end()
	}
	k.upgrader.send(failed(why))
	k.forgetUpgrade()
}

func (k *keeper) forgetUpgrade() {
	k.upgrader.close()
	k.program.Close()
	k.heir, k.upgrader, k.program = nil, nil, nil
}

// handOver has the old server stop, since the new one is prepared.
func (k *keeper) handOver(c *child) {
	switch {
	case c != k.heir:
	case k.server == nil:
		k.succeed()
	default:
		k.server.stopped, k.server.until = true, time.Now().Add(stopTime)
		if k.server.ch.send(message{Kind: kindStop}) != nil {
			k.server.process.Kill()
		}
	}
}

// succeed lets the new server answer.
func (k *keeper) succeed() {
	k.server, k.heir = k.heir, nil
	k.server.until = time.Time{}
	k.server.ch.send(message{Kind: kindGo}) // if that fails it has died
}

// upgraded is told when the new server answers: the keeper becomes the new
// program, too.
func (k *keeper) upgraded() {
	k.Upgrades++
	k.note()
	k.upgrader.send(message{Kind: kindReady})
	k.upgrader.close()
	program := k.program
	k.upgrader, k.program = nil, nil
	k.become(program)
}
