# The tool that compares the guide's figures with what the commands printed says which are wrong.
tool=$SPUSK_SOURCE/tools/check_figures.py
. "$SPUSK_SOURCE/tests/support/tap.sh"

# checked NUMBER...: a page that says 97.58 %, 0.038 and 3.7 MiB, beside a run that printed these numbers.
checked()
{
    printf 'val %s loss %s\nmemory %s KiB\n' "$@" >printed.txt
    cat >page.md <<'END'
It reached 97.58 % with a loss of 0.038, in 3.7 MiB.
<!-- figures: ^val (\S+) loss (\S+) -> 97.58% 0.038 -->
<!-- figures: ^memory (\S+) KiB -> 3.7/1024 -->
END
    python3 "$tool" page.md printed.txt 2>complaints
}

echo 1..8
checked 0.9758 0.03790 3779
result $? 'figures that are right'
! checked 0.9759 0.03790 3779 && grep -q 'the page says 97.58%, the command 0.9759' complaints
result $? 'a share that is not'
! checked 0.9758 0.03849999999 3900 && grep -q 'the page says 3.7/1024' complaints && ! grep -q 0.038 complaints
result $? 'a number in another unit that is not'
! checked 0.9758 0.0386 3779 && grep -q 'the page says 0.038' complaints
result $? 'figures are compared in the digits given'
! checked 0.9758 '' 3779 && grep -q 'no command printed' complaints
result $? 'a number that nobody printed'
echo '<!-- figures: ^val (\S+) -> 97.58% -->' >page.md
printf 'val 0.9758\n' >printed.txt
! python3 "$tool" page.md printed.txt 2>complaints && grep -q "97.58 does not stand in the page" complaints
result $? 'a figure that the text does not have'
echo '<!-- figures ^val (\S+) -> 97.58% -->' >page.md
! python3 "$tool" page.md printed.txt 2>complaints
result $? 'a line that cannot be read'
printf 'synthetic digits, 60000 images\nval 0.5 loss 1\n' >printed.txt
printf '%s\n' '97.58 <!-- -->' '<!-- figures: ^val (\S+) -> 97.58% -->' >page.md
python3 "$tool" page.md printed.txt 2>complaints && grep -q 'not checked' complaints
result $? 'drawn digits have other figures, and that is said'
