# Where the commands write: long names, pipes, devices, links, names that are taken twice.
spusk=$SPUSK_BUILD/spusk
LC_ALL=C
export LC_ALL
. "$SPUSK_SOURCE/tests/support/tap.sh"

train='train --dataset synthetic --limit 60 --epochs 1 --no-progress'

echo 1..23

# The path of a file in folders that are there: N bytes, or one or two less.
long_path()
{
    path=. room=$(($1 - 4))
    while [ $room -gt 2 ]; do
        n=$((room - 1 < 200 ? room - 1 : 200))
        path=$path/$(printf "%0${n}d" 0) room=$((room - n - 1))
    done
    mkdir -p "$path"
    path=$path/w
}
long_path 4090
refuses 'a name that leaves no room for the checkpoint' 2 'too long, with its checkpoint' $train -o "$path"
refuses 'a name that is too long' 2 'the name of the output is too long' $train -o "$path$path"
long_path 4083
"$spusk" $train -o "$path" >out.txt 2>err.txt && [ -s "$path" ]
result $? 'a name that just fits'

mkfifo pipe
refuses 'a pipe that nobody reads' 2 'cannot write ./pipe: it is a pipe that nobody reads' $train -o ./pipe
refuses 'the same for an autoencoder' 2 'it is a pipe that nobody reads' autoencode --dataset synthetic --limit 60 -o ./pipe
mkfifo pipe.gif
refuses 'the same for a movie' 2 'it is a pipe that nobody reads' morph -o ./pipe.gif none.safetensors
mkfifo pipe.png
refuses 'the same for a chart' 2 'it is a pipe that nobody reads' descent --name ./pipe
cat pipe >copy.safetensors &
"$spusk" $train -o ./pipe >out.txt 2>err.txt
[ $? = 0 ] && wait $! && "$spusk" info copy.safetensors >out.txt 2>&1 && [ -p pipe ] && [ ! -e pipe.checkpoint ]
result $? 'a pipe that somebody reads'

# Its reader does not read: one SIGTERM is enough.
sleep 100 <pipe &
reader=$!
timeout -s KILL 60 "$spusk" $train -o ./pipe >out.txt 2>err.txt &
writer=$!
for try in $(seq 600); do
    grep -q '^epoch' out.txt && break
    sleep 0.1
done
sleep 3 # time for it to begin to write
kill -TERM $writer
wait $writer
[ $? = 143 ]
result $? 'a pipe whose reader does not read can be given up'
kill $reader

ln -s /dev/null null
"$spusk" $train -o ./null >out.txt 2>err.txt && [ -c null ] && [ ! -e null.checkpoint ] && [ ! -e /dev/null.checkpoint ] &&
    ! grep -q checkpoint out.txt
result $? 'a device has no checkpoint beside it'
refuses 'nor can it be gone on with' 2 'no checkpoint beside ./null' $train -o ./null --resume

ln -s far/weights link
refuses 'a link to no folder' 2 'far/weights: No such file or directory' $train -o ./link
mkdir far
"$spusk" $train -o ./link >out.txt 2>err.txt && [ -L link ] && [ -s far/weights ] && [ -s link.checkpoint ]
result $? 'a link to a file that is not there yet'
"$spusk" $train -o ./link >out.txt 2>err.txt && [ -L link ] && [ -s far/weights ]
result $? 'a link to a file that is there'

refuses 'weights under the name of the chart' 2 'losses.png would be written twice' $train -o losses.png
refuses "weights under the name of the chart's data" 2 'losses.dat would be written twice' $train -o losses.dat
refuses "weights under the name of the chart's script" 2 'losses.gp would be written twice' $train -o ./losses.gp
ln -sf losses.png alias.safetensors
refuses 'weights that a link leads to the chart' 2 'alias.safetensors would be written twice' $train -o alias.safetensors
rm -f alias.safetensors
refuses 'weights under the name of the pictures' 2 'reconstructions.png would be written twice' \
    autoencode --dataset synthetic --limit 60 -o reconstructions.png
mkdir taken taken/pca.png
refuses 'a folder in the place of what --pca draws' 2 'cannot write taken/pca.png: Is a directory' \
    autoencode --dataset synthetic --limit 60 --pca --out taken
refuses 'weights under the name of principal components' 2 'pca.safetensors would be written twice' \
    autoencode --dataset synthetic --limit 60 --pca -o pca.safetensors
refuses 'a folder with a name that is too long' 2 'the name of the folder is too long' $train --out "$path$path"
[ -z "$(find . -name '.spusk*')" ]
result $? 'no other file is left'
