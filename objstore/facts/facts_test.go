package facts

import (
	"encoding/hex"
	"encoding/json"
	"testing"

	"deployfs/objstore/gvariant"
)

// signedMeta is detached metadata that ostree wrote, with a signature that gpg made.
const signedMeta = "6e6f74650000000068656c6c6f00007305000000000000006f73747265652e67706773696773000088750400160800" +
	"1d1621042322881b950bba4c4b59703a5f529e54c6acf76705026b0add53000a09105f529e54c6acf767abfe0100c1a9ba9fc71c2edeaeecbba971c1" +
	"7cbf5c232b7acd84e6639eb741710bb2ed5900fe382ba7c7217439d46ab285cc159f90e863480dba7b2934a65c28edf88107be0877006161790f11a5"

func TestGPGSignatures(t *testing.T) {
	data, err := hex.DecodeString(signedMeta)
	if err != nil {
		t.Fatal(err)
	}
	v, err := gvariant.Parse("a{sv}", data)
	if err != nil {
		t.Fatal(err)
	}
	list := GPGSignatures(v)
	if len(list) != 1 || list[0].KeyID != "5F529E54C6ACF767" || list[0].Algorithm != "EdDSA" || list[0].Created.Unix() != 0x6b0add53 {
		t.Errorf("%+v", list)
	}
}

func TestJSONValue(t *testing.T) {
	b := gvariant.NewBytes([]byte{0, 0xff})
	v := gvariant.NewTuple(gvariant.NewByte(1), gvariant.NewBool(true), gvariant.NewUint32(7), gvariant.NewUint64(1<<63),
		gvariant.NewString("ü"), b, gvariant.NewVariant(b), gvariant.NewArray("s"),
		gvariant.NewArray("{sv}", gvariant.NewEntry(gvariant.NewString("k"), gvariant.NewVariant(gvariant.NewUint32(1)))))
	got, err := json.Marshal(Value(v))
	want := `[1,true,7,9223372036854775808,"ü","AP8=","AP8=",[],{"k":1}]`
	if err != nil || string(got) != want {
		t.Errorf("%s, %v\nwant %s", got, err, want)
	}
	nothing, err := gvariant.Parse("ms", nil)
	if err != nil || Value(nothing) != nil {
		t.Errorf("nothing is %v, %v", Value(nothing), err)
	}
}
