"""The plots of the toy stories: a problem, somebody who helps, an outcome, a lesson. Those about one child are apart.

``toy_reader.py`` says how a plot is read. A step that may be left out remembers no word that a later one recalls.
"""

from __future__ import annotations

from tsws.text.toy_child_plots import CHILD_PLOTS

STORIES = {
    "child_story": """
        {child_intro}
        ¶
        {child_plot}
        ? {afterwards}
        ? {home}
        ? {the_end}
    """,
    "long_story": """
        {child_intro}
        ¶
        {child_plot}
        ¶
        {child_plot}
        ? {the_end}
    """,
    "tiny_story": """
        {child_intro}
        {tiny_plot}
        ? {the_end}
    """,
    "pair_story": """
        Once upon a time, {any_child} and {friend} [lived next door to each other|went to the same school|were best friends|lived on the same street].
        ? They liked to {hobbies} together.
        ? {Hero} was {a traits} {hero.kind}, and {pal} was {a traits} {pal.kind}.
        ? They were never [bored|lonely|apart].
        ¶
        {pair_plot}
        ? {the_end}
    """,
    "beast_story": """
        {opening} a {size} {hero=beasts.kind} named {hero}.
        {Hero} lived in {hero.home}[ with {his} {hero.kin}|].
        ? {Hero} loved {hero.food} more than anything.
        ? {He} was {a traits} {hero.kind}.
        ? All the animals [knew|liked] {him}.
        ¶
        {beast_plot}
        ? {the_end}
    """,
}

PAIR_PLOTS = {
    "one_toy_for_two": """
        {one_day} they found {a looks} {toy=toys} {places.at}. "It is mine!" said {hero}. "No, I saw it first!" said {pal}.
        {Hero} pulled and {pal} pulled. [Snap|Crack|Rip]! The {toy} [broke in two|lost a piece|fell into the mud].
        [They both began to cry|Now nobody could play|They looked at each other].
        ? {pause}
        ¶
        [An old man|An old woman|The teacher|A wise owl] saw it and said, "[If you fight, you both lose|There is enough for two|A toy is more fun with a friend]."
        "I am sorry, {hero}," said {pal}. "I am sorry too," said {hero}.
        Together they [fixed the {toy}|washed the {toy}|glued the {toy}]. {Hero} played with it [in the morning|first], and {pal} played with it [in the afternoon|after that].
        ? They laughed and were {glad}.
        They learned that [it is better to share|friends are worth more than toys|fighting helps nobody].
    """,
    "find_together": """
        {one_day} they went to {wilds} to look for treasure. {Hero} had an old map and {pal} had {a colors} {treasures}.
        They walked [over a bridge|through tall grass|past a big rock] and [under a fallen tree|along a stream|up a steep path].
        "I am [tired|hungry|cold]," said {pal}. "[Let us go on|Just a little more|Hold my hand]," said {hero}.
        Then it got dark and they heard a [howl|crack|strange noise]. They were both {afraid}.
        ? {pause}
        ¶
        But it was only {a beast=finders}. It [had lost its way|was hungry|wanted to play]. {Hero} gave it [some bread|an apple|a cookie].
        The {beast} ran ahead, stopped, and began to dig. There it was: a box full of [{sweets}|gold coins|{colors} stones|old toys]!
        ? "We are rich!" {pal} [cried|shouted].
        They shared it, [half and half|one for you, one for me|in three parts], and the {beast} got a part too.
        They learned that [sharing brings luck|it is good to go on when it is hard|kindness is the real treasure].
    """,
    "the_bet": """
        {one_day} {hero} said, "I can {race=races} faster than you!" "No, you can't!" said {pal}.
        So they made a race. [Ready, steady, go|One, two, three, go]! {Hero} was [very fast|ahead|in front].
        But then {pal} fell and [hurt {pal.his} knee|twisted {pal.his} foot|could not get up]. "[Ouch|Ow], it hurts!" {pal.he} cried.
        ? {pause}
        ¶
        {Hero} could see the end. {He} could win. [{He} thought for a moment|{He} looked back]. Then {he} turned around and ran to {pal}.
        "[Are you all right|Does it hurt|Can you walk], {pal}?" {he} asked. {He} [put a leaf on the knee|helped {pal.him} up|let {pal.him} lean on {his} arm].
        They crossed the line together, [arm in arm|side by side|step by step]. "You lost the race because of me," said {pal}. "[I won a friend|A friend is better than a prize|We both won]," said {hero}.
        ? {Pal} gave {hero} half of {pal.his} {sweets}.
        They learned that [winning is not everything|a friend comes first].
    """,
    "the_hut": """
        {one_day} they wanted to build a hut {wilds.at}. {Hero} brought [wood|sticks|boards] and {pal} brought [nails|rope|leaves].
        {Hero} wanted it to be {shade=colors}, but {pal} wanted it to be {colors}. {Hero} wanted [a big door|two windows|a tower], but {pal} wanted [a flat roof|a secret door|a chimney].
        They [argued all day|stopped talking|went home angry]. That night, [the wind blew the hut down|rain came through the roof|the hut fell over].
        ? {pause}
        ¶
        The next {times}, they stood before it. "It fell because we did not work together," said {pal}. "[You are right|I know|That is true]," said {hero}. "[Let us try again.|Let us make it together.|What if we do both?|I am sorry that I was angry.]"
        So {hero} held the [wall|roof|post] and {pal} tied the rope. The new hut was [strong|beautiful|even better].
        They had {treats} in it and [told stories|sang songs|watched the rain].
        They learned that [two heads are better than one|we can build more together|a good plan needs both friends].
    """,
}

BEAST_PLOTS = {
    "small_helps_big": """
        {one_day} {hero} met a big {giant=big_beasts} with {giant.strong}. "You are so [little|weak|slow]," laughed the {giant}. "What can you do?"
        ? {Hero} was {sorry}, but {he} said nothing.
        [A week later|The next day|One stormy night], {hero} heard a loud cry. It was the {giant}! {Giant.he} was {trap=stuck}.
        "[Help me, please!|Is anybody there?|I can't move!|Oh, please, somebody!]" [cried|called] the {giant}.
        ? {pause}
        ¶
        {Hero} [was {afraid}, but|remembered the mean words, but|did not wait:|was only small, but] {he} [went closer|took heart|ran to the {giant}] and {trap.free}. [Bit by bit|After a long time|At last], the {giant} was free.
        "I laughed at you, and you helped me," said the {giant}. "[I am sorry.|Please forgive me.|How can I thank you?|I was wrong.]"
        "[Let us be friends|Just be kind|It is all right]," said {hero}.
        ? From then on, the {giant} carried {hero} on {giant.his} back.
        The moral of the story is that [even the small can help the big|nobody is too small to help|we should not laugh at others].
    """,
    "lazy_and_winter": """
        All summer, {hero} [sang songs|slept in the sun|played with leaves|danced]. {His} friend, {a beast=tiny_beasts}, gathered {stores} every day. "[Come and help|Winter will come|You should work too]," said the {beast}.
        "[Winter is far away|I have time|I would rather play]," said {hero}.
        Then the [cold|snow|winter] came. [The ground was white|There was nothing to eat|The wind was icy]. {Hero} had no {hero.food} left. {He} was hungry and cold.
        ? {pause}
        ¶
        {Hero} knocked at the door of the {beast}. "[Please, may I come in?|Do you have a little food?|I was foolish,|I am so cold,]" {he} said.
        The {beast} [thought about it|opened the door|shook {beast.his} head] and said, "[Come in and eat|There is enough for two|I will share with you]. But next summer, you work with me."
        {happy_hero}
        And when summer came again, {hero} [was the first to work|worked every day|kept {his} word].
        The moral of the story is that [we should think of tomorrow|work comes before play|a good friend helps and teaches].
    """,
    "the_race": """
        {one_day} the animals wanted to see who could {race=races} best. {Hero} was [the smallest|the slowest|the youngest], and [everyone|the {big_beasts} and the others] laughed.
        ? {sad_hero}
        "[Do your best|Never mind them|Go slowly, but do not stop]," said {his} {hero.kin}.
        The others started fast. But [the first|one] of them [stopped to sleep|stopped to eat|looked in the water], and another [ran the wrong way|fell into a hole|got tired].
        ? {pause}
        ¶
        {Hero} just went on, step by step. {He} did not [stop|look back|hurry]. And at the end, who was first? It was {hero}!
        {happy_hero}
        ? The animals [clapped|cheered|carried {him} around] and gave {him} {a colors} [ribbon|crown|flag].
        {learned} [slow and steady wins|it is good to go on|being small is no reason to give up].
    """,
    "wants_to_be_other": """
        {Hero} did not like being {a hero.kind}. "I want to [fly like a bird|swim like a fish|roar like a lion|be tall like a giraffe]!" {he} said.
        {one_day} {he} [climbed on a rock and jumped|put leaves on {his} arms|painted {his} nose {colors}|walked on {his} toes]. [Bump|Plop|Splash]! {He} fell [into the mud|on {his} back|into the water].
        The others laughed. {sad_hero}
        ? {pause}
        ¶
        A wise old [owl|toad|stork|whale] said, "[Why do you want to be someone else?|Look at what you can do.|Nobody else is like you.] [You are a fine {hero.kind}|You are just right|You are you]."
        That night, [a baby bird was lost|the baby of the owl was lost|a little mouse was in danger], and only {a hero.kind} could [reach it|find it|hear it]. {Hero} [hurried|did not wait|went at once] and brought it back.
        {happy_hero}
        ? "Now I like to be me," said {hero}.
        {learned} [it is best to be yourself|everyone is special|we all have our own gifts].
    """,
    "beast_shares": """
        {one_day} {hero} found a big pile of {hero.food}. "[It is all for me|I will not tell anyone|What luck]!" {he} said and [hid it|sat down on it|took it home].
        Then came {a beast=tiny_beasts}. "I am so hungry," said the {beast}. "May I have a little?"
        "No," said {hero}. "Find your own!" The {beast} went away with {beast.his} head down.
        [In the night|The next day|Soon], [rain washed it all away|a thief came and took it all|it went bad and smelled]. Now {hero} had nothing.
        {sad_hero}
        ? {pause}
        ¶
        The {beast} came back. {Beast.he} had found [one apple|a piece of bread|some seeds]. "[Half of it is for you|Let us share it|Eat with me]," said the {beast}.
        {Hero} felt [ashamed|very small|bad]. "I did not share with you, but you share with me," {he} said. "[I am sorry|Thank you|You are good]."
        ? From then on, they always ate together.
        {learned} [sharing makes us rich|food tastes better with a friend|it is wrong to be greedy].
    """,
}

PLOTS = STORIES | CHILD_PLOTS | PAIR_PLOTS | BEAST_PLOTS
