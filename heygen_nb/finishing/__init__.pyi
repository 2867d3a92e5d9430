# What others use of the finishing; each is loaded on first use.

from .check import Finding as Finding, check_film as check_film
from .film import (
    Finish as Finish,
    finish as finish,
    make_film as make_film,
    respelled as respelled,
    shrink_video as shrink_video,
    timed_by_ear as timed_by_ear,
    words_of_srt as words_of_srt,
)
