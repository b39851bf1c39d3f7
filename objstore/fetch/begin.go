package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// worthAll is how much of a file is read on, in bytes, when a server sends all of it: more
// costs more than another connection.
const worthAll = 64 << 10

// Begin returns the first n bytes of a file, or all when it has fewer or the server sends
// it anyway; and the size of the whole as the server claims it, -1 when it does not say.
// What no server has is an error that is fs.ErrNotExist.
func (c *Client) Begin(ctx context.Context, f File, n int64) (data []byte, size int64, err error) {
	body, err := c.open(ctx, f, request{first: n}, c.retries)
	if err != nil {
		return nil, 0, err
	}
	defer body.Close()
	if body.total >= 0 && body.total <= n+worthAll {
		n = body.total
	}
	part := n
	if body.size >= 0 {
		part = min(part, body.size)
	}
	data = make([]byte, min(part, maxGrow))
	for read := 0; ; {
		got, err := io.ReadFull(body, data[read:])
		read += got
		switch {
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return data[:read], int64(read), nil
		case err != nil:
			return nil, 0, err
		case int64(read) == part:
			return data, body.total, nil
		}
		data = append(data, make([]byte, min(part-int64(read), maxGrow))...)
	}
}

// beginning reads the answer to a request for the first bytes: how many there are, and how
// many the whole file has, -1 when that is not said.
func beginning(answer *http.Response) (part, total int64, err error) {
	span, all, ok := strings.Cut(strings.TrimPrefix(answer.Header.Get("Content-Range"), "bytes "), "/")
	from, to, ok2 := strings.Cut(span, "-")
	last, err := strconv.ParseInt(to, 10, 64)
	if !ok || !ok2 || from != "0" || err != nil || last < 0 {
		return 0, 0, errors.New("the answer is another part of the file than was asked for")
	}
	if all == "*" {
		return last + 1, -1, nil
	}
	total, err = strconv.ParseInt(all, 10, 64)
	if err != nil || total <= last {
		return 0, 0, fmt.Errorf("the answer claims to be a part of %.20q bytes", all)
	}
	return last + 1, total, nil
}
