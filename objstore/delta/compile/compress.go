package compile

import (
	"context"
	"io"

	"github.com/ulikunitz/xz"
)

// packedXZ is what a part begins with that is compressed with xz.
const packedXZ = 'x'

// compress writes a part's file.
func compress(ctx context.Context, to io.ByteWriter, payload io.Reader) error {
	w := to.(io.Writer)
	if err := to.WriteByte(packedXZ); err != nil {
		return err
	}
	x, err := xz.WriterConfig{DictCap: 32 << 20, BufSize: 1 << 16, CheckSum: xz.CRC64}.NewWriter(w)
	if err != nil {
		return err
	}
	if _, err := io.Copy(x, payload); err != nil {
		return err
	}
	return x.Close()
}
